//! A bar that shows how far a file is. Hidden where nobody would see it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(super) fn new(json: bool) -> Self {
        let bar = ProgressBar::no_length();
        if json {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style = ProgressStyle::with_template(style).expect("the template is well-formed");
        bar.set_style(style);
        Self { bar }
    }

    pub(super) fn show(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
