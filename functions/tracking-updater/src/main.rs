//! Works on the tracking queue, and on its schedule queues what is due: parcels are seen and confirmed.

use aws_lambda_events::sqs::SqsBatchResponse;
use kervan::domain::Signal;
use kervan::handler::{self, Trigger};
use kervan::{flows, setup};
use lambda_runtime::{Error, LambdaEvent, service_fn};

const NAME: &str = "tracking-updater";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    handler::start_logging();
    let kervan = &setup::kervan()?;
    let function = service_fn(|event: LambdaEvent<Trigger>| async move {
        let work = |signal: Signal| async move { flows::track(kervan, &signal).await };
        match event.payload {
            Trigger::Queue(event) => {
                Ok(handler::sqs(NAME, &kervan.queues.tracking, &kervan.metrics, event, work).await)
            }
            Trigger::Schedule => {
                handler::schedule(NAME, &kervan.metrics, flows::queue_due_tracking(kervan)).await?;
                Ok::<_, Error>(SqsBatchResponse::default())
            }
        }
    });
    lambda_runtime::run(function).await
}
