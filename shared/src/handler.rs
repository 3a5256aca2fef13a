//! What all functions do alike: build the ports from the environment, log as JSON, and take a batch message by message,
//! so that one message's failure or panic does not fail the others.
