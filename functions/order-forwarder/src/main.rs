//! Works on the orders queue: an order is read, recorded and bought.

use aws_lambda_events::sqs::SqsEvent;
use kervan::{domain::Signal, flows, handler, setup};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    handler::start_logging();
    let kervan = &setup::kervan()?;
    let function = service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let work = |signal: Signal| async move { flows::forward(kervan, &signal).await };
        let queue = &kervan.queues.orders;
        Ok::<_, Error>(
            handler::sqs(
                "order-forwarder",
                queue,
                &kervan.metrics,
                event.payload,
                work,
            )
            .await,
        )
    });
    lambda_runtime::run(function).await
}
