//! What runs and deploys Kervan on a developer's machine: the pinned tools, the local stack that stands for AWS, and
//! the deployment of `template.yaml` on it. The command `kervan` (feature `command`) is built on this; tests use it
//! directly and need none of the command's dependencies.

pub mod deployment;
pub mod local_stack;
pub mod process;
pub mod shop;
pub mod tooling;
pub mod workspace;
