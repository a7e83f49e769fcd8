//! `myim chat`: conversations in a terminal.
//!
//! Modules in reading order: [`state`] is everything that the screen shows; [`update`] is what an
//! input does to it; [`view`] draws it; [`message`] is what they and the [`runtime`] say to each
//! other. The runtime owns the terminal and the network. Everything else is a function of its
//! arguments and is tested without a terminal.

mod bubble;
mod clean;
mod editor;
mod geometry;
mod history;
mod message;
mod people;
mod popup;
mod runtime;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod update;
mod view;
mod wrap;

pub(crate) use runtime::{ChatArgs, run};
