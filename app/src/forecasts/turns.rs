//! One at a time for a key: who comes later waits, and finds what the first one fetched.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as AsyncMutex, MutexGuard};

/// The queues of all keys that somebody waits for.
#[derive(Debug)]
pub(super) struct Turns<K>(Mutex<HashMap<K, Arc<AsyncMutex<()>>>>);

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A place in a queue; giving it up, also by leaving in the middle, takes the queue away if nobody else is in it.
#[derive(Debug)]
pub(super) struct Ticket<'a, K: Eq + Hash> {
    turns: &'a Turns<K>,
    key: K,
    queue: Arc<AsyncMutex<()>>,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Joins the queue of a key.
    pub(super) fn ticket(&self, key: &K) -> Ticket<'_, K> {
        let mut queues = self.0.lock().expect("nobody panics with the queues locked");
        let queue = Arc::clone(queues.entry(key.clone()).or_default());
        Ticket { turns: self, key: key.clone(), queue }
    }
}

impl<K: Eq + Hash> Ticket<'_, K> {
    /// Waits for one's turn, which lasts as long as what is returned.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.queue.lock().await
    }
}

impl<K: Eq + Hash> Drop for Ticket<'_, K> {
    fn drop(&mut self) {
        let mut queues = self.turns.0.lock().expect("nobody panics with the queues locked");
        // The table's own, and this one.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_same_key_takes_turns_and_other_keys_do_not_wait() {
        let turns = Turns::default();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = async |key: &'static str| {
            let ticket = turns.ticket(&key);
            let _turn = ticket.turn().await;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
        };
        futures::join!(work("a"), work("a"), work("a"));
        assert_eq!(most.swap(0, Ordering::SeqCst), 1);
        futures::join!(work("a"), work("b"));
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert!(turns.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn who_leaves_in_the_middle_leaves_nothing_behind_and_stops_nobody() {
        let turns = Turns::default();
        let work = async || {
            let ticket = turns.ticket(&"a");
            let _turn = ticket.turn().await;
            tokio::task::yield_now().await;
        };
        {
            let mut first = Box::pin(work());
            let mut second = Box::pin(work());
            assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
            drop(first);
            second.await;
        }
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
