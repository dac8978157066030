//! libtorch's threads beside the caller's, for as long as the caller wants them.
#![allow(unsafe_code, reason = "libtorch's threads are C++, and call back into Rust")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::unwind;

unsafe extern "C" {
    fn fain_team_begin(body: unsafe extern "C" fn(data: *mut c_void), data: *mut c_void) -> bool;
    fn fain_team_end();
}

/// What the threads of a team do.
pub(crate) trait Assist: Send + Sync {
    /// Each thread of the team but the first calls it once.
    fn assist(&self);
}

/// Threads that assist until they return. Dropping it waits for that.
///
/// The thread that began it has no other loop of libtorch's run in parallel meanwhile, and it must be the one that ends
/// it: the type cannot be sent.
pub(crate) struct Team<A> {
    assistant: Arc<A>,
    of_this_thread: PhantomData<*const ()>,
}

impl<A: Assist> Team<A> {
    /// `None` where libtorch has set one thread for the caller, or the caller is in a parallel loop.
    pub(crate) fn begin(assistant: Arc<A>) -> Option<Self> {
        // SAFETY: `assist::<A>` is made for the type behind `data`, which this team keeps until its end. C++ lets no
        // exception out.
        let begun = unsafe { fain_team_begin(assist::<A>, Arc::as_ptr(&assistant).cast_mut().cast()) };
        begun.then(|| Self { assistant, of_this_thread: PhantomData })
    }

    pub(crate) fn assistant(&self) -> &Arc<A> {
        &self.assistant
    }
}

impl<A> Drop for Team<A> {
    fn drop(&mut self) {
        // SAFETY: this thread began the team, as the type is not `Send`, and it is ended once. Teams of one thread would
        // have to end in the reverse order; `begin` refuses a second one.
        unsafe { fain_team_end() }
    }
}

unsafe extern "C" fn assist<A: Assist>(data: *mut c_void) {
    // SAFETY: `begin::<A>` passes an `A` that lives until the team's end, and is `Sync`.
    let assistant = unsafe { &*data.cast::<A>() };
    // Tasks and jobs catch their own panics.
    let _caught = unwind::catch(|| assistant.assist());
}
