//! Everything that the user reads, one file a language. A text that one language lacks does not
//! compile.

mod en;
mod zh;

use clap::ValueEnum;
use jiff::civil::Date;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

impl Lang {
    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::Zh => &zh::TEXTS,
        }
    }

    /// What the environment asks for: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that says
    /// anything counts.
    pub(crate) fn of_locale(values: &[Option<String>]) -> Self {
        let said = values.iter().flatten().find(|value| !value.is_empty());
        match said {
            Some(value) if value.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }
}

/// The texts of one language. `{}` stands where something is put in, see [`put`].
pub(crate) struct Texts {
    pub(crate) too_small: &'static str,
    pub(crate) loading: &'static str,
    pub(crate) connected: &'static str,
    pub(crate) connecting: &'static str,
    /// Seconds.
    pub(crate) offline: &'static str,
    /// What signs in again.
    pub(crate) signed_out: &'static str,
    pub(crate) locked: &'static str,
    pub(crate) replaced: &'static str,
    pub(crate) store_failed: &'static str,
    pub(crate) conversations: &'static str,
    pub(crate) nothing_yet: &'static [&'static str],
    pub(crate) nowhere_to_write: &'static str,
    pub(crate) no_messages: &'static str,
    pub(crate) beginning: &'static str,
    pub(crate) requests_waiting: &'static str,
    pub(crate) online: &'static str,
    pub(crate) away: &'static str,
    pub(crate) not_online: &'static str,
    pub(crate) members: &'static str,
    pub(crate) one_types: &'static str,
    pub(crate) several_type: &'static str,
    pub(crate) you: &'static str,
    /// As [`Texts::you`], behind what somebody did.
    pub(crate) whom_you: &'static str,
    pub(crate) today: &'static str,
    pub(crate) yesterday: &'static str,
    pub(crate) day: fn(Date) -> String,
    pub(crate) new_messages: &'static str,
    pub(crate) below: &'static str,
    pub(crate) edited: &'static str,
    pub(crate) recalled: &'static str,
    pub(crate) forwarded: &'static str,
    pub(crate) not_sent: &'static str,
    pub(crate) picture: &'static str,
    pub(crate) file: &'static str,
    pub(crate) face: &'static str,
    pub(crate) nudge: &'static str,
    pub(crate) custom: &'static str,
    pub(crate) everybody: &'static str,
    pub(crate) gone_quote: &'static str,
    pub(crate) notices: Notices,
    pub(crate) write_here: &'static str,
    pub(crate) replying: &'static str,
    pub(crate) editing: &'static str,
    pub(crate) keys_input: &'static str,
    pub(crate) keys_list: &'static str,
    pub(crate) keys_message: &'static str,
    pub(crate) keys_failed: &'static str,
    pub(crate) help_title: &'static str,
    pub(crate) help: &'static [(&'static str, &'static str)],
    pub(crate) close_hint: &'static str,
    pub(crate) switcher: &'static str,
    pub(crate) new_chat: &'static str,
    pub(crate) new_chat_hint: &'static str,
    pub(crate) note_for: &'static str,
    pub(crate) note_hint: &'static str,
    pub(crate) asked: &'static str,
    pub(crate) send_file: &'static str,
    pub(crate) file_hint: &'static str,
    pub(crate) save_file: &'static str,
    pub(crate) save_hint: &'static str,
    pub(crate) nothing_to_save: &'static str,
    pub(crate) requests: &'static str,
    pub(crate) requests_hint: &'static str,
    pub(crate) no_requests: &'static str,
    pub(crate) search: &'static str,
    pub(crate) search_hint: &'static str,
    pub(crate) nothing_found: &'static str,
    pub(crate) react: &'static str,
    pub(crate) react_hint: &'static str,
    pub(crate) recall: &'static str,
    pub(crate) recall_hint: &'static str,
    pub(crate) transfer: &'static str,
    pub(crate) transfer_left: &'static str,
    pub(crate) cancel_hint: &'static str,
    pub(crate) transfer_failed: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) saved: &'static str,
    pub(crate) wants_contact: &'static str,
    pub(crate) accepted: &'static str,
    pub(crate) declined: &'static str,
    pub(crate) drafts_would_go: &'static str,
    pub(crate) only_own: &'static str,
}

/// What happened in a group. The first `{}` is who did it, the second to whom or what.
pub(crate) struct Notices {
    pub(crate) created: &'static str,
    pub(crate) joined: &'static str,
    pub(crate) left: &'static str,
    pub(crate) added: &'static str,
    pub(crate) removed: &'static str,
    pub(crate) member_changed: &'static str,
    pub(crate) owner_changed: &'static str,
    pub(crate) renamed: &'static str,
    pub(crate) announced: &'static str,
    pub(crate) changed: &'static str,
    pub(crate) other: &'static str,
}

/// Puts the values where `{}` stands.
pub(crate) fn put(text: &str, values: &[&str]) -> String {
    let mut pieces = text.split("{}");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for piece in pieces {
        whole.push_str(values.next().copied().unwrap_or_default());
        whole.push_str(piece);
    }
    whole
}

/// A number of bytes as people read it.
pub(crate) fn bytes(bytes: u64) -> String {
    let mut unit = 1u64;
    for name in ["B", "KB", "MB", "GB"] {
        if bytes < unit * 1000 || name == "GB" {
            let tenths = bytes / (unit / 10).max(1) % 10;
            return match bytes / unit {
                whole if whole < 10 && unit > 1 => format!("{whole}.{tenths} {name}"),
                whole => format!("{whole} {name}"),
            };
        }
        unit *= 1000;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_says_anything_counts() {
        let some = |text: &str| Some(text.to_owned());
        let of = |all, messages, lang| Lang::of_locale(&[all, messages, lang]);
        assert_eq!(of(None, None, some("zh_CN.UTF-8")), Lang::Zh);
        assert_eq!(of(some("C"), None, some("zh_CN.UTF-8")), Lang::En);
        assert_eq!(of(some(""), some("zh_TW"), some("en_US")), Lang::Zh);
        assert_eq!(of(None, None, None), Lang::En);
    }

    #[test]
    fn sizes_are_short() {
        let sizes = [0, 999, 1000, 1_234, 98_765, 1_500_000, 12_000_000_000];
        let read = [
            "0 B", "999 B", "1.0 KB", "1.2 KB", "98 KB", "1.5 MB", "12 GB",
        ];
        assert_eq!(sizes.map(bytes), read.map(str::to_owned));
    }

    #[test]
    fn both_languages_have_the_same_gaps() {
        let (en, zh) = (Lang::En.texts(), Lang::Zh.texts());
        let gaps = |text: &str| text.matches("{}").count();
        for (en, zh) in [
            (en.offline, zh.offline),
            (en.signed_out, zh.signed_out),
            (en.notices.added, zh.notices.added),
            (en.transfer, zh.transfer),
            (en.recall, zh.recall),
            (en.not_sent, zh.not_sent),
        ] {
            assert_eq!(gaps(en), gaps(zh), "{en}");
        }
        assert_eq!(en.help.len(), zh.help.len());
        let keys = |texts: &Texts| texts.help.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        assert_eq!(keys(en), keys(zh));
    }
}
