//! Runs on a schedule: what pushes missed is found, and what is due is queued.

use kervan::{flows, handler, setup};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    handler::start_logging();
    let kervan = &setup::kervan()?;
    let function = service_fn(|_: LambdaEvent<serde_json::Value>| async move {
        Ok::<_, Error>(
            handler::schedule("order-sweeper", &kervan.metrics, flows::sweep(kervan)).await?,
        )
    });
    lambda_runtime::run(function).await
}
