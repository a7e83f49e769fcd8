//! Proof that nothing is lost: what happened in a run, written down in one format, and a checker
//! that reads it.
//!
//! `history` is the format, `recorder` writes it, `check` judges it and does nothing else. `storm`
//! is a load of people of both protocols on a real server, `line` and `people` are who makes it,
//! `dump` reads what the store has in the end, and `mount` is a disk whose power can be cut. `rig` puts
//! them together, `planted` lists the bugs that it must find, and `long` plays for hours and writes
//! a `report`.

pub mod history;
pub mod recorder;

pub mod check;
pub mod second_check;

pub mod line;
pub mod people;

pub mod dump;
pub mod mount;
pub mod storm;

pub mod planted;
pub mod rig;

pub mod long;
pub mod report;
