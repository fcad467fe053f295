//! Checks whether an adapter gives buffers back to its `BufferPool`.

use super::Rig;
use crate::subject::WrongAdapter;

/// What the adapter must do.
const GIVE_BACK: &str = "Call `take_back` when the queue refuses a chain, and when a chain is freed, withdrawn, or ended by a reset; a new pool has lent nothing";

impl Rig {
    /// Checks that the pool had all buffers of a chain of `count` buffers, which the model has just accepted. So there are
    /// enough free descriptors, also if the queue has lost chains, since the model still counts them. Called before the
    /// chain is read from the table: without a buffer of its own, it overlaps other chains.
    #[inline(always)]
    pub(super) fn check_pool_was_not_empty(&self, count: usize) {
        if self.provided.lendings.is_short() {
            self.raise_empty_pool(count);
        }
    }

    #[cold]
    fn raise_empty_pool(&self, count: usize) -> ! {
        let live = self.sink.model.live_buffers() as usize - count;
        WrongAdapter::raise(format!(
            "its `BufferPool` had too few buffers left for a chain of {count} that the queue may accept: {} of {} are lent, \
             but the live chains before it have only {live}. {GIVE_BACK}",
            self.provided.lendings.lent(),
            self.run.setup.queue_size
        ));
    }

    /// Checks that no more buffers are lent than the live chains have, and that none was given back twice. Called after the
    /// model has accepted a chain: an adapter may give buffers back at the beginning of `submit`.
    #[inline(always)]
    pub(super) fn check_lendings(&self) {
        let lendings = &self.provided.lendings;
        if lendings.lent() > 0 || lendings.not_lent() > 0 {
            self.check_used_pool();
        }
    }

    /// The same, for an adapter that uses its pool.
    #[cold]
    fn check_used_pool(&self) {
        let (run, lendings) = (&self.run, &self.provided.lendings);
        let (lent, live) = (lendings.lent(), self.sink.model.live_buffers() as usize);
        // A queue that submits chains itself reports them one by one. A call that unwinds leaves the adapter no time.
        if lent > live && !run.can.submits_itself && !run.can.unwinds {
            WrongAdapter::raise(format!(
                "{lent} buffers of its `BufferPool` are lent, but the live chains have only {live}. {GIVE_BACK}"
            ));
        }
        let twice = lendings.not_lent();
        if twice > 0 {
            WrongAdapter::raise(format!(
                "it gave buffers back to its `BufferPool` that were not lent: {twice}. Call `take_back` once for each chain"
            ));
        }
    }
}
