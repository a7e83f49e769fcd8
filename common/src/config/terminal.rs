//! What the environment says of the terminal that a program runs in.

use std::env::var_os;

/// The variables by which a terminal and its user's language are known. None of them is a setting
/// of myim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminalEnvironment {
    /// `LC_ALL`, `LC_MESSAGES` and `LANG`: the first one that is there counts.
    pub locale: [Option<String>; 3],
    /// `TERM`.
    pub term: Option<String>,
    /// `NO_COLOR`, with any content.
    pub no_color: bool,
}

impl TerminalEnvironment {
    pub fn read() -> Self {
        let given = |name: &str| var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| given(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            locale: ["LC_ALL", "LC_MESSAGES", "LANG"].map(text),
            term: text("TERM"),
            no_color: given("NO_COLOR").is_some(),
        }
    }

    /// Whether colors say anything here.
    pub fn has_colors(&self) -> bool {
        let term = self.term.as_deref().unwrap_or("dumb");
        let plain = term == "dumb"
            || term.contains("mono")
            || term.starts_with("vt1")
            || term.starts_with("vt2");
        !self.no_color && !plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_left_out_where_nobody_sees_them() {
        let of = |term: Option<&str>, no_color| {
            let term = term.map(str::to_owned);
            TerminalEnvironment {
                term,
                no_color,
                ..Default::default()
            }
            .has_colors()
        };
        assert!(of(Some("xterm-256color"), false));
        assert!(!of(Some("xterm-256color"), true));
        assert!(!of(Some("xterm-mono"), false));
        assert!(!of(Some("vt100"), false));
        assert!(!of(None, false));
    }
}
