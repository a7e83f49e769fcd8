//! What a worker does with a picture.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::message::{Answer, Reply, Task};
use super::orders::Orders;
use crate::picture::{Fault, Halt, Shareable, look, render, shareable};

/// Does what is asked, within the limits.
pub(super) fn carry_out(task: Task, bytes: &[u8], orders: &Orders) -> Answer {
    let work = AssertUnwindSafe(|| done(task, bytes, orders));
    match catch_unwind(work) {
        Ok(Ok(answer)) => answer,
        Ok(Err(fault)) => Reply::Refused(fault).into(),
        Err(_panic) => Reply::Failed.into(),
    }
}

fn done(task: Task, bytes: &[u8], orders: &Orders) -> Result<Answer, Fault> {
    let (limits, halt) = (&orders.limits, Halt::after(orders.time));
    Ok(match task {
        Task::Look => Reply::Looked(look(bytes, limits, &halt)?).into(),
        Task::Render(recipe) => Answer::made(render(bytes, recipe, limits, &halt)?),
        Task::Share => match shareable(bytes, limits, &halt)? {
            Shareable::AsItIs => Reply::AsItIs.into(),
            Shareable::Cleaned(cleaned) => Answer::made(cleaned),
        },
    })
}
