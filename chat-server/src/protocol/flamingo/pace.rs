//! How fast a client is listened to: as fast as an account of the API may ask.
//!
//! The existing clients understand no refusal and never repeat a message. So nobody is refused:
//! who asks too fast is not read for a while, and TCP holds him back.

use common::id::UserId;
use common::wire::chat::Packet;
use common::wire::command;
use tokio::time::Instant;

use super::link::{Ended, Link};
use crate::app::App;
use crate::rates::Class;

/// See the module's description.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// A request that came too fast. It is the next one.
    held: Option<Packet>,
    until: Option<Instant>,
}

impl Pace {
    /// The next request of what was read, if its time has come.
    pub(super) fn next(
        &mut self,
        app: &App,
        user: UserId,
        link: &mut Link,
    ) -> Result<Option<Packet>, Ended> {
        if self.until.is_some_and(|until| until > Instant::now()) {
            return Ok(None);
        }
        self.until = None;
        let packet = match self.held.take() {
            Some(held) => held,
            None => match link.next_packet()? {
                Some(packet) => packet,
                None => return Ok(None),
            },
        };
        match app.rates.take_of_account(class_of(packet.command), user) {
            Ok(()) => Ok(Some(packet)),
            Err(wait) => {
                self.held = Some(packet);
                self.until = Some(Instant::now() + wait);
                Ok(None)
            }
        }
    }

    /// One packet went to several: each is a message.
    pub(super) fn sent(&mut self, app: &App, user: UserId, messages: usize) {
        let more = messages.saturating_sub(1);
        let wait = app.rates.owe_of_account(Class::Send, user, more);
        if !wait.is_zero() {
            self.until = Some(Instant::now() + wait);
        }
    }

    /// Until when nothing is read.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }
}

/// What kind of call of the API a command is like.
fn class_of(number: i32) -> Class {
    match number {
        command::CHAT | command::MULTI_CHAT | command::REMOTE_DESKTOP => Class::Send,
        command::HEARTBEAT | command::FRIEND_LIST | command::FIND_USER | command::GROUP_MEMBERS => {
            Class::Read
        }
        _ => Class::Write,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_classes() {
        assert_eq!(class_of(command::CHAT), Class::Send);
        assert_eq!(class_of(command::HEARTBEAT), Class::Read);
        assert_eq!(class_of(command::CREATE_GROUP), Class::Write);
        assert_eq!(class_of(command::LOGIN), Class::Write);
        assert_eq!(class_of(i32::MIN), Class::Write);
    }
}
