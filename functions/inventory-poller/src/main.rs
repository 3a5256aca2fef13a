//! Works on the inventory queue, and on its schedule queues what is due: stock is read and listings are published.

use aws_lambda_events::sqs::SqsBatchResponse;
use kervan::flows::{self, InventoryTask};
use kervan::handler::{self, Trigger};
use kervan::setup;
use lambda_runtime::{Error, LambdaEvent, service_fn};

const NAME: &str = "inventory-poller";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    handler::start_logging();
    let kervan = &setup::kervan()?;
    let rates = &setup::rates_source()?;
    let function = service_fn(|event: LambdaEvent<Trigger>| async move {
        let work = |task: InventoryTask| async move { flows::inventory(kervan, &task).await };
        match event.payload {
            Trigger::Queue(event) => {
                Ok(
                    handler::sqs(NAME, &kervan.queues.inventory, &kervan.metrics, event, work)
                        .await,
                )
            }
            Trigger::Schedule => {
                handler::schedule(NAME, &kervan.metrics, flows::queue_due_stock(kervan)).await?;
                if let Some(source) = rates {
                    source.refresh_in(kervan).await;
                }
                Ok::<_, Error>(SqsBatchResponse::default())
            }
        }
    });
    lambda_runtime::run(function).await
}
