//! A background thread that makes items ahead of their use, in order.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Items made by a thread, at most `depth` ahead. Dropping it stops the thread after the item it is making. `S` is what is
/// left of a used item, to be filled again.
pub(crate) struct Prefetch<T, S, E> {
    items: Option<Receiver<Result<T, E>>>,
    spares: Sender<S>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread hands over next.
pub(crate) enum Next<T, E> {
    Item(Result<T, E>),
    /// The thread ended without an error: it made all items, or it panicked.
    Ended,
}

impl<T: Send + 'static, S: Send + 'static, E: Send + 'static> Prefetch<T, S, E> {
    /// Starts a thread that calls `make` with each number in `numbers`, and with what is left of a used item where it was
    /// handed back. It stops at the first error.
    pub(crate) fn start(
        numbers: std::ops::Range<u64>,
        depth: usize,
        mut make: impl FnMut(u64, Option<S>) -> Result<T, E> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, items) = sync_channel(depth);
        let (spares, used) = channel();
        let thread = std::thread::Builder::new()
            .name("fain-batches".to_owned())
            .spawn(move || run(numbers, &sender, &used, &mut make))?;
        Ok(Self { items: Some(items), spares, thread: Some(thread) })
    }

    pub(crate) fn next(&mut self) -> Next<T, E> {
        match self.items.as_ref().map(Receiver::recv) {
            Some(Ok(item)) => Next::Item(item),
            Some(Err(_)) | None => Next::Ended,
        }
    }

    /// Hands back what is left of a used item, to be filled again.
    pub(crate) fn recycle(&mut self, spare: S) {
        // The thread may have made its last item already; then the spare is of no use.
        let _ = self.spares.send(spare);
    }
}

fn run<T, S, E>(
    numbers: std::ops::Range<u64>,
    sender: &SyncSender<Result<T, E>>,
    used: &Receiver<S>,
    make: &mut impl FnMut(u64, Option<S>) -> Result<T, E>,
) {
    for number in numbers {
        let item = make(number, used.try_recv().ok());
        let failed = item.is_err();
        if sender.send(item).is_err() || failed {
            return;
        }
    }
}

impl<T, S, E> Drop for Prefetch<T, S, E> {
    fn drop(&mut self) {
        // The receiver goes first: a thread that waits to hand an item over then ends instead of waiting for ever.
        self.items = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was seen as `Next::Ended` by whoever still asked for items.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn item(next: Next<u64, String>) -> Option<Result<u64, String>> {
        match next {
            Next::Item(item) => Some(item),
            Next::Ended => None,
        }
    }

    #[test]
    fn items_come_in_order_and_end() {
        for depth in [1, 2, 100] {
            let mut prefetch = Prefetch::start(3..6, depth, |number, _: Option<u64>| Ok(number)).unwrap();
            let items: Vec<_> = (0..4).map(|_| item(prefetch.next())).collect();
            assert_eq!(items, [Some(Ok(3)), Some(Ok(4)), Some(Ok(5)), None]);
        }
    }

    #[test]
    fn an_error_comes_through_and_is_the_last_item() {
        let make = |number, _: Option<u64>| if number == 1 { Err("no row".to_owned()) } else { Ok(number) };
        let mut prefetch = Prefetch::start(0..9, 2, make).unwrap();
        let items: Vec<_> = (0..3).map(|_| item(prefetch.next())).collect();
        assert_eq!(items, [Some(Ok(0)), Some(Err("no row".to_owned())), None]);
    }

    #[test]
    fn a_panic_ends_the_items() {
        let make = |number, _: Option<u64>| if number == 1 { panic!("expected by the test") } else { Ok(number) };
        let mut prefetch = Prefetch::<u64, u64, String>::start(0..9, 2, make).unwrap();
        assert_eq!(item(prefetch.next()), Some(Ok(0)));
        assert_eq!(item(prefetch.next()), None);
    }

    #[test]
    fn dropping_stops_a_thread_that_waits() {
        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        let make = move |number, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(number)
        };
        let mut prefetch = Prefetch::<u64, u64, String>::start(0..u64::MAX, 3, make).unwrap();
        assert_eq!(item(prefetch.next()), Some(Ok(0)));
        drop(prefetch);
        // One taken, three ahead, and one that found nobody to take it. The thread is gone, so the number stands.
        assert!((1..=5).contains(&calls.load(Ordering::SeqCst)), "{calls:?}");
        assert_eq!(Arc::strong_count(&calls), 1);
    }

    #[test]
    fn used_items_are_filled_again() {
        let make = |number, used: Option<u64>| Ok(used.map_or(number, |used| 100 * used + number));
        let mut prefetch = Prefetch::<u64, u64, String>::start(0..3, 1, make).unwrap();
        prefetch.recycle(7);
        let items: Vec<_> = (0..3).filter_map(|_| item(prefetch.next())).collect();
        // Which of the items finds the spare depends on the clock; exactly one of them does.
        let filled: Vec<_> = items.iter().filter(|item| item.as_ref().is_ok_and(|item| *item >= 700)).collect();
        assert_eq!(filled.len(), 1, "{items:?}");
    }
}
