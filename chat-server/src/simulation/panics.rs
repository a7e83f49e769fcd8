//! Whether anything panicked in a play, in whatever task: the runtime catches it, and of a task that
//! nobody waits for nobody would hear.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// What panicked on this thread. All tasks of a play run on one.
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

static WATCH: Once = Once::new();

/// Notes every panic from now on, and forgets those of this thread so far.
pub(super) fn watch() {
    WATCH.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // A thread that is ending has nowhere to note it.
            let _ = SEEN.try_with(|seen| seen.borrow_mut().push(panic.to_string()));
            usual(panic);
        }));
    });
    SEEN.take();
}

/// What panicked on this thread since.
pub(super) fn seen() -> Vec<String> {
    SEEN.take()
}
