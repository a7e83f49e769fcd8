//! Keys, pastes, focus and sizes, from a thread that does nothing but wait for them.

use std::thread;

use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::chat::message::Input;

/// Reads until the program ends. A terminal that is gone ends the program.
pub(super) fn read(inputs: mpsc::Sender<Input>, gone: CancellationToken) {
    // It ends with the process: nothing interrupts a read from a terminal.
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            let Some(input) = input(event) else {
                continue;
            };
            if inputs.blocking_send(input).is_err() {
                return;
            }
        }
        gone.cancel();
    });
}

fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) => Some(Input::Key(key)),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(width, height) => Some(Input::Resize(width, height)),
        Event::FocusGained => Some(Input::Focus(true)),
        Event::FocusLost => Some(Input::Focus(false)),
        Event::Mouse(_) => None,
    }
}
