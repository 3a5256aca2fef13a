//! What the workers rely on: a message is gone once its work is done and not before, whoever dies in between.

use super::{LONG, Pair, Queues, SHORT, one, send};
use crate::ports::cases::{Case, cases};
use kervan::queue::{LARGEST_BODY_BYTES, LONGEST_DELAY, LONGEST_HIDING, Outgoing};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

pub(super) fn cases(queues: Arc<dyn Queues>) -> Vec<Case> {
    cases![queues;
        a_message_is_deleted_twice_without_harm,
        the_receipt_of_an_older_delivery_loses_nothing,
        a_deleted_message_cannot_be_released,
        messages_of_one_batch_are_hidden_each_for_itself,
        a_message_put_back_as_a_new_one_counts_from_the_beginning,
        a_message_whose_worker_dies_each_time_becomes_a_dead_letter,
        a_dead_letter_sent_again_is_a_message_like_any_other,
        a_receive_gives_ten_at_most_and_asks_for_one_at_least,
        one_send_takes_more_bytes_than_a_call_does,
        a_message_with_the_longest_delay_is_taken_and_hidden,
        nothing_is_hidden_for_longer_than_12_hours,
        characters_that_xml_does_not_know_are_refused,
    ]
}

async fn a_message_is_deleted_twice_without_harm(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{\"n\":1}").await;
    let received = one(&*queue, LONG).await.unwrap();
    send(&*queue, "{\"n\":2}").await;
    queue.delete(&received.receipt).await.unwrap();
    // SQS answers that it is done; MiniStack that it does not know the receipt. Nobody may rely on either.
    let _ = queue.delete(&received.receipt).await;
    assert_eq!(one(&*queue, LONG).await.unwrap().body, "{\"n\":2}");
}

async fn the_receipt_of_an_older_delivery_loses_nothing(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let first = one(&*queue, SHORT).await.unwrap();
    queues.pass(1).await;
    let second = one(&*queue, LONG).await.unwrap();
    // A worker that was too slow: SQS leaves open whether this does anything. What the second worker does counts.
    let _ = queue.delete(&first.receipt).await;
    let _ = queue.release(&first.receipt, Duration::ZERO).await;
    queue.delete(&second.receipt).await.unwrap();
    queues.pass(1).await;
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn a_deleted_message_cannot_be_released(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let received = one(&*queue, LONG).await.unwrap();
    queue.delete(&received.receipt).await.unwrap();
    let released = queue.release(&received.receipt, Duration::ZERO).await;
    assert!(released.is_err());
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn messages_of_one_batch_are_hidden_each_for_itself(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    for body in ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"] {
        send(&*queue, body).await;
    }
    let mut batch = Vec::new();
    // SQS may give fewer than asked for.
    for _ in 0..10 {
        batch.extend(queue.receive(10, LONG, Duration::ZERO).await.unwrap());
    }
    assert_eq!(batch.len(), 3);
    queue.delete(&batch[0].receipt).await.unwrap();
    let released = &batch[1];
    queue
        .release(&released.receipt, Duration::ZERO)
        .await
        .unwrap();
    let again = one(&*queue, LONG).await.unwrap();
    assert_eq!((&again.id, again.deliveries), (&released.id, 2));
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn a_message_put_back_as_a_new_one_counts_from_the_beginning(queues: Arc<dyn Queues>) {
    let queue = queues.make(2).await.queue;
    send(&*queue, "{}").await;
    let mut ids = BTreeSet::new();
    for _ in 0..4 {
        let received = one(&*queue, LONG).await.unwrap();
        assert_eq!(received.deliveries, 1);
        send(&*queue, &received.body).await;
        queue.delete(&received.receipt).await.unwrap();
        ids.insert(received.id);
    }
    assert_eq!(ids.len(), 4);
}

async fn a_message_whose_worker_dies_each_time_becomes_a_dead_letter(queues: Arc<dyn Queues>) {
    let Pair {
        queue,
        dead_letters,
    } = queues.make(3).await;
    send(&*queue, "{\"kills\":true}").await;
    for deliveries in 1..=3 {
        let received = one(&*queue, SHORT).await.unwrap();
        assert_eq!(received.deliveries, deliveries);
        assert_eq!(one(&*dead_letters, LONG).await, None);
        queues.pass(1).await;
    }
    assert_eq!(one(&*queue, LONG).await, None);
    let dead = one(&*dead_letters, LONG).await.unwrap();
    assert_eq!(dead.body, "{\"kills\":true}");
    assert_eq!(one(&*dead_letters, LONG).await, None);
}

async fn a_dead_letter_sent_again_is_a_message_like_any_other(queues: Arc<dyn Queues>) {
    let Pair {
        queue,
        dead_letters,
    } = queues.make(1).await;
    send(&*queue, "{}").await;
    for _ in 0..2 {
        let received = one(&*queue, LONG).await.unwrap();
        queue
            .release(&received.receipt, Duration::ZERO)
            .await
            .unwrap();
        assert_eq!(one(&*queue, LONG).await, None);
        let dead = one(&*dead_letters, LONG).await.unwrap();
        send(&*queue, &dead.body).await;
        dead_letters.delete(&dead.receipt).await.unwrap();
    }
    assert_eq!(one(&*queue, LONG).await.unwrap().deliveries, 1);
    assert_eq!(one(&*dead_letters, LONG).await, None);
}

async fn a_receive_gives_ten_at_most_and_asks_for_one_at_least(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let messages = (0..12).map(|number| Outgoing::now(number.to_string()));
    queue.send(messages.collect()).await.unwrap();
    let many = queue.receive(1_000, LONG, Duration::ZERO).await.unwrap();
    assert!((1..=10).contains(&many.len()), "{}", many.len());
    let few = queue.receive(0, LONG, Duration::ZERO).await.unwrap();
    assert_eq!(few.len(), 1);
}

async fn one_send_takes_more_bytes_than_a_call_does(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let third = LARGEST_BODY_BYTES / 3;
    let bodies = (0..7).map(|number| number.to_string().repeat(third));
    let sent = bodies.collect::<BTreeSet<_>>();
    let messages = sent.iter().cloned().map(Outgoing::now).collect();
    queue.send(messages).await.unwrap();
    let mut received = BTreeSet::new();
    for _ in 0..20 {
        for message in queue.receive(10, LONG, Duration::ZERO).await.unwrap() {
            assert!(received.insert(message.body));
        }
    }
    assert!(received == sent, "{} of {}", received.len(), sent.len());
}

async fn a_message_with_the_longest_delay_is_taken_and_hidden(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    let message = Outgoing {
        body: "{}".to_owned(),
        delay: LONGEST_DELAY,
    };
    queue.send(vec![message]).await.unwrap();
    queues.pass(1).await;
    assert_eq!(one(&*queue, LONG).await, None);
}

async fn nothing_is_hidden_for_longer_than_12_hours(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    send(&*queue, "{}").await;
    let too_long = LONGEST_HIDING + SHORT;
    assert!(queue.receive(1, too_long, Duration::ZERO).await.is_err());
    let received = one(&*queue, LONG).await.unwrap();
    assert_eq!(received.deliveries, 1);
    assert!(queue.release(&received.receipt, too_long).await.is_err());
    queue
        .release(&received.receipt, Duration::ZERO)
        .await
        .unwrap();
    assert!(one(&*queue, LONGEST_HIDING).await.is_some());
}

async fn characters_that_xml_does_not_know_are_refused(queues: Arc<dyn Queues>) {
    let queue = queues.make(5).await.queue;
    for wrong in ["\u{0}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
        let message = Outgoing::now(format!("{{\"text\":\"{wrong}\"}}"));
        assert!(queue.send(vec![message]).await.is_err(), "{wrong:?}");
    }
    assert_eq!(one(&*queue, LONG).await, None);
    let right = "{\"text\":\"\t\n\r \u{7f}\u{d7ff}\u{e000}\u{fffd}\u{10ffff}\"}";
    send(&*queue, right).await;
    assert_eq!(one(&*queue, LONG).await.unwrap().body, right);
}
