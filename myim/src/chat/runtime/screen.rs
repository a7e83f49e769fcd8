//! The terminal: taken over, drawn on, and given back as it was, whatever happens.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::panic;
use std::sync::Once;

use anyhow::Context as _;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;
use tokio_util::sync::CancellationToken;

use crate::chat::state::State;
use crate::chat::view::view;

/// A whole screen is written at once.
const BUFFER_BYTES: usize = 64 * 1024;

pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    is_open: bool,
}

impl Screen {
    /// Takes the terminal over. A panic anywhere gives it back and ends the program.
    pub(super) fn open(panicked: &CancellationToken) -> anyhow::Result<Self> {
        restore_on_panic(panicked.clone());
        let out = BufWriter::with_capacity(BUFFER_BYTES, stdout());
        let terminal = Terminal::new(CrosstermBackend::new(out)).context("the terminal")?;
        let mut screen = Self {
            terminal,
            is_open: false,
        };
        screen.enter()?;
        Ok(screen)
    }

    pub(super) fn size(&self) -> anyhow::Result<(u16, u16)> {
        let size = self.terminal.size().context("the terminal's size")?;
        Ok((size.width, size.height))
    }

    /// Takes the terminal over, also after it was given back for a while.
    pub(super) fn enter(&mut self) -> anyhow::Result<()> {
        enable_raw_mode().context("the terminal cannot be taken over")?;
        self.is_open = true;
        execute!(
            stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange
        )
        .context("the terminal")?;
        self.redraw()
    }

    /// The next frame is drawn whole.
    pub(super) fn redraw(&mut self) -> anyhow::Result<()> {
        // `Terminal::clear` would ask the terminal where its cursor is, and the answer would have to
        // pass the thread that reads keys.
        let (width, height) = self.size()?;
        let area = Rect::new(0, 0, width, height);
        self.terminal.resize(area).context("the terminal")
    }

    pub(super) fn draw(&mut self, state: &State) -> anyhow::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate).context("the terminal")?;
        let drawn = self.terminal.draw(|frame| view(state, frame)).map(drop);
        let ended = execute!(self.terminal.backend_mut(), EndSynchronizedUpdate);
        drawn.and(ended).context("the terminal")
    }

    pub(super) fn bell(&mut self) -> anyhow::Result<()> {
        let out = self.terminal.backend_mut();
        out.write_all(b"\x07")
            .and_then(|()| Write::flush(out))
            .context("the terminal")
    }

    /// Gives the terminal back.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            // There is nobody left to tell.
            let _ = restore();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

fn restore() -> io::Result<()> {
    let told = execute!(
        stdout(),
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    disable_raw_mode().and(told)
}

/// The message of a panic is of no use on the other screen, and nobody can work in raw mode.
fn restore_on_panic(panicked: CancellationToken) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let _ = restore();
            before(info);
            panicked.cancel();
        }));
    });
}
