//! A message as lines of a width.

mod words;

use client::model::{Message, Segment, Seq, Timestamp, UserId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use serde_json::{Map, Value};

use super::history::{History, Item};
use super::people::People;
use super::state::{Chat, Setting, State};
use super::text::{Texts, put};
use super::theme::Theme;
use super::{clean, wrap};

pub(crate) use words::preview;
use words::{blocks, notice_text};

/// `14:03 ` stands before each message.
const TIME_CELLS: usize = 6;
/// ` ✓✓` stands behind the own ones.
const MARK_CELLS: usize = 3;

/// What a message's looks depend on besides itself.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) me: UserId,
    pub(crate) texts: &'static Texts,
    pub(crate) theme: Theme,
    pub(crate) zone: &'a TimeZone,
    pub(crate) now: Timestamp,
    pub(crate) people: &'a People,
    /// How far the other one has read; none in groups.
    pub(crate) peer_read: Option<Seq>,
    pub(crate) new_after: Option<Seq>,
}

/// What a layout depends on besides the history and the width.
pub(crate) type Stamp = (u64, Option<Seq>, Option<Seq>, Date);

impl<'a> Context<'a> {
    pub(crate) fn new(state: &'a State, chat: &Chat) -> Self {
        Self::of(&state.setting, state.now, &state.people, chat)
    }

    /// The same of the parts of a state, where another part is being changed.
    pub(crate) fn of(
        setting: &'a Setting,
        now: Timestamp,
        people: &'a People,
        chat: &Chat,
    ) -> Self {
        Self {
            me: setting.me,
            texts: setting.lang.texts(),
            theme: Theme {
                color: setting.color,
            },
            zone: &setting.zone,
            now,
            people,
            peer_read: chat.summary.peer_read_seq,
            new_after: chat.new_after,
        }
    }

    /// Lines that were laid out under another stamp are of no use.
    pub(crate) fn stamp(&self) -> Stamp {
        let today = self.date(self.now);
        (self.people.version(), self.peer_read, self.new_after, today)
    }

    fn date(&self, time: Timestamp) -> Date {
        self.zone.to_datetime(time).date()
    }

    fn clock(&self, time: Timestamp) -> String {
        let time = self.zone.to_datetime(time).time();
        format!("{:02}:{:02} ", time.hour(), time.minute())
    }

    fn name(&self, user: UserId) -> String {
        if user == self.me {
            self.texts.you.to_owned()
        } else {
            self.people.name_or_number(user)
        }
    }

    /// The same inside of a sentence.
    fn whom(&self, user: UserId) -> String {
        if user == self.me {
            self.texts.whom_you.to_owned()
        } else {
            self.people.name_or_number(user)
        }
    }
}

/// The parts that differ between what is stored and what waits.
struct Content<'a> {
    sender: UserId,
    time: Timestamp,
    segments: &'a [Segment],
    reply_to: Option<Seq>,
}

fn content<'a>(context: &Context<'_>, item: Item<'a>) -> Content<'a> {
    match item {
        Item::Stored(message) => Content {
            sender: message.sender,
            time: message.time,
            segments: &message.segments,
            reply_to: message.reply_to,
        },
        Item::Pending(pending) => Content {
            sender: context.me,
            time: pending.time,
            segments: &pending.segments,
            reply_to: pending.reply_to,
        },
    }
}

fn notice_of(item: Item<'_>) -> Option<&Map<String, Value>> {
    match item {
        Item::Stored(message) => message.notice.as_ref(),
        Item::Pending(_) => None,
    }
}

/// The lines of an item, with what separates it from the one before.
pub(crate) fn lay_out(
    context: &Context<'_>,
    history: &History,
    index: usize,
    width: usize,
) -> Vec<Line<'static>> {
    let Some(item) = history.item(index) else {
        return Vec::new();
    };
    let before = index.checked_sub(1).and_then(|before| history.item(before));
    let what = content(context, item);
    let mut lines = Vec::new();
    let date = context.date(what.time);
    let before_it = before.map(|before| content(context, before));
    if before_it
        .as_ref()
        .is_none_or(|before| context.date(before.time) != date)
    {
        lines.push(separator(
            &day_name(context, date),
            width,
            context.theme.dim(),
        ));
    }
    if is_first_new(context, item, before) {
        lines.push(separator(
            context.texts.new_messages,
            width,
            context.theme.accent(),
        ));
    }
    if let Some(notice) = notice_of(item) {
        let said = notice_text(context, what.sender, notice);
        let lead = context.clock(what.time);
        hang(&mut lines, &lead, &said, width, context.theme.dim());
        return lines;
    }
    let same = before_it.is_some_and(|before| before.sender == what.sender)
        && before.is_some_and(|before| notice_of(before).is_none());
    if !same || !lines.is_empty() {
        let name = clean::fit(&context.name(what.sender), width).into_owned();
        let style = context.theme.name(what.sender, what.sender == context.me);
        lines.push(Line::styled(name, style));
    }
    body(context, history, item, &what, width, &mut lines);
    lines
}

fn body(
    context: &Context<'_>,
    history: &History,
    item: Item<'_>,
    what: &Content<'_>,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = context.theme;
    let room = width.saturating_sub(TIME_CELLS + MARK_CELLS).max(8);
    let rows = rows(context, history, item, what, room);
    let failed = match item {
        Item::Pending(pending) => pending.failed.as_deref(),
        Item::Stored(_) => None,
    };
    let (mark, style) = mark(context, item);
    let last = rows.len() - 1;
    for (at, mut spans) in rows.into_iter().enumerate() {
        let lead = if at == 0 {
            context.clock(what.time)
        } else {
            " ".repeat(TIME_CELLS)
        };
        spans.insert(0, Span::styled(lead, theme.dim()));
        if at == last && !mark.is_empty() {
            let used: usize = spans.iter().map(|span| clean::width(&span.content)).sum();
            let gap = width.saturating_sub(used + clean::width(mark));
            spans.push(Span::raw(" ".repeat(gap)));
            spans.push(Span::styled(mark, style));
        }
        lines.push(Line::from(spans));
    }
    if let Some(reason) = failed {
        let text = put(context.texts.not_sent, &[&clean::line(reason)]);
        hang(lines, &" ".repeat(TIME_CELLS), &text, width, theme.bad());
    }
}

/// The rows of a message without time and mark, at least one.
fn rows(
    context: &Context<'_>,
    history: &History,
    item: Item<'_>,
    what: &Content<'_>,
    room: usize,
) -> Vec<Vec<Span<'static>>> {
    let theme = context.theme;
    let mut rows: Vec<Vec<Span<'static>>> = Vec::new();
    let mut row = |text: String, style: Style| rows.push(vec![Span::styled(text, style)]);
    if let Some(from) = forwarded_from(item) {
        row(
            clean::fit(&put(context.texts.forwarded, &[&from]), room).into_owned(),
            theme.dim(),
        );
    }
    if let Some(seq) = what.reply_to {
        row(quote(context, history, seq, room), theme.dim());
    }
    if is_recalled(item) {
        row(context.texts.recalled.to_owned(), theme.dim());
    }
    for block in blocks(context, what.segments) {
        let style = if block.is_file {
            theme.file()
        } else {
            Style::new()
        };
        for line in wrap::lines(&block.text, room) {
            row(line.to_owned(), style);
        }
    }
    if matches!(item, Item::Stored(message) if message.edited_at.is_some() && message.recalled_at.is_none())
    {
        append(&mut rows, context.texts.edited, room, theme.dim());
    }
    if rows.is_empty() {
        rows.push(Vec::new());
    }
    if let Item::Stored(message) = item
        && !message.reactions.is_empty()
    {
        reactions(context, message, room, &mut rows);
    }
    rows
}

/// Text with a lead before its first row and as much space before the others.
fn hang(lines: &mut Vec<Line<'static>>, lead: &str, text: &str, width: usize, style: Style) {
    let room = width.saturating_sub(TIME_CELLS).max(8);
    for (at, row) in wrap::lines(text, room).into_iter().enumerate() {
        let lead = if at == 0 {
            lead.to_owned()
        } else {
            " ".repeat(TIME_CELLS)
        };
        lines.push(Line::styled(format!("{lead}{row}"), style));
    }
}

/// Behind the last row, or on one of its own.
fn append(rows: &mut Vec<Vec<Span<'static>>>, text: &'static str, room: usize, style: Style) {
    if let Some(last) = rows.last_mut() {
        let used: usize = last.iter().map(|span| clean::width(&span.content)).sum();
        if used + 1 + clean::width(text) <= room {
            last.push(Span::styled(format!(" {text}"), style));
            return;
        }
    }
    rows.push(vec![Span::styled(text, style)]);
}

fn separator(text: &str, width: usize, style: Style) -> Line<'static> {
    let text = clean::fit(text, width.saturating_sub(4));
    let rest = width.saturating_sub(clean::width(&text) + 2);
    let left = "─".repeat(rest / 2);
    let right = "─".repeat(rest - rest / 2);
    Line::styled(format!("{left} {text} {right}"), style)
}

fn day_name(context: &Context<'_>, date: Date) -> String {
    let today = context.date(context.now);
    if date == today {
        context.texts.today.to_owned()
    } else if today.yesterday().is_ok_and(|yesterday| date == yesterday) {
        context.texts.yesterday.to_owned()
    } else {
        (context.texts.day)(date)
    }
}

fn is_first_new(context: &Context<'_>, item: Item<'_>, before: Option<Item<'_>>) -> bool {
    let (Some(after), Item::Stored(message)) = (context.new_after, item) else {
        return false;
    };
    let old = |before| matches!(before, Item::Stored(before) if before.seq <= after);
    message.seq > after && before.is_none_or(old)
}

fn mark(context: &Context<'_>, item: Item<'_>) -> (&'static str, Style) {
    let theme = context.theme;
    match item {
        Item::Pending(pending) if pending.failed.is_some() => ("✗", theme.bad()),
        Item::Pending(_) => ("…", theme.dim()),
        Item::Stored(message) if message.sender != context.me => ("", theme.dim()),
        Item::Stored(message) if context.peer_read.is_some_and(|read| read >= message.seq) => {
            ("✓✓", theme.good())
        }
        Item::Stored(_) => ("✓", theme.dim()),
    }
}

fn is_recalled(item: Item<'_>) -> bool {
    matches!(item, Item::Stored(message) if message.recalled_at.is_some())
}

fn forwarded_from(item: Item<'_>) -> Option<String> {
    let Item::Stored(message) = item else {
        return None;
    };
    let name = message.forwarded_from.as_ref()?.get("nickname")?.as_str()?;
    Some(clean::line(name).into_owned())
}

fn quote(context: &Context<'_>, history: &History, seq: Seq, room: usize) -> String {
    let said = match history.quoted(seq) {
        None => "…".to_owned(),
        Some(None) => context.texts.gone_quote.to_owned(),
        Some(Some(message)) => {
            let name = context.name(message.sender);
            format!("{name}: {}", preview(context, message))
        }
    };
    clean::fit(&format!("┃ {said}"), room).into_owned()
}

fn reactions(
    context: &Context<'_>,
    message: &Message,
    room: usize,
    rows: &mut Vec<Vec<Span<'static>>>,
) {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for reaction in &message.reactions {
        let emoji = clean::line(&reaction.emoji);
        let own = reaction.users.contains(&context.me);
        // Brackets say without color that one's own is among them.
        let text = if own {
            format!("[{emoji} {}] ", reaction.count)
        } else {
            format!(" {emoji} {}  ", reaction.count)
        };
        let cells = clean::width(&text);
        if used + cells > room && used > 0 {
            rows.push(std::mem::take(&mut spans));
            used = 0;
        }
        used += cells;
        spans.push(Span::styled(text, context.theme.dim()));
    }
    rows.push(spans);
}
