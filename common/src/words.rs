//! The words of a text, for the search index and for what people look for in it.
//!
//! Scripts that put spaces between words keep their words whole. Chinese, Japanese, Korean, Thai
//! and their neighbours are cut into pairs of letters that overlap: whoever looks for a word of two
//! letters finds just these two side by side, without a dictionary on the server. The last letter
//! of such a run is kept alone as well, so that one letter is found wherever it stands, as the
//! beginning of a pair or as itself.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use crate::store::search::Wanted;

/// A longer word is cut to this, in the index and in a query alike.
const WORD_CHARS_MAX: usize = 32;

/// As [`WORD_CHARS_MAX`]; the width of `t_word.f_word`, in bytes.
const WORD_BYTES_MAX: usize = 96;

/// Different words of one message. Nobody looks for a message by the end of a book.
const MESSAGE_WORDS_MAX: usize = 256;

/// Different words of one query; each is a step into the index for every message looked at.
const QUERY_WORDS_MAX: usize = 16;

/// The words of a message, each once, at most 256.
pub fn of_message(text: &str) -> Vec<String> {
    let text = plain(text);
    let mut words = Distinct::new(MESSAGE_WORDS_MAX);
    for run in Runs::new(&text) {
        match run {
            Run::Word(word) => words.add(word),
            Run::Letters(letters) => {
                pairs(&letters).for_each(|pair| words.add(pair));
                if let Some(last) = letters.last() {
                    words.add(cut(last));
                }
            }
        }
        if words.is_full() {
            break;
        }
    }
    words.all
}

/// What a message must have to be found, at most 16 words. The last word with spaces around it may
/// be unfinished: it stands for every word that begins so.
pub fn of_query(text: &str) -> Vec<Wanted> {
    let text = plain(text);
    let mut wanted = Distinct::new(QUERY_WORDS_MAX);
    let runs: Vec<Run<'_>> = Runs::new(&text).collect();
    let last_word = runs.iter().rposition(|run| matches!(run, Run::Word(_)));
    for (nth, run) in runs.into_iter().enumerate() {
        match run {
            Run::Word(word) if Some(nth) == last_word => wanted.add(Wanted::Prefix(word)),
            Run::Word(word) => wanted.add(Wanted::Word(word)),
            Run::Letters(letters) => match letters[..] {
                [single] => wanted.add(Wanted::Prefix(cut(single))),
                _ => pairs(&letters).for_each(|pair| wanted.add(Wanted::Word(pair))),
            },
        }
        if wanted.is_full() {
            break;
        }
    }
    wanted.all
}

/// One way to write what can be written in several: no capitals, no wide or narrow letters, marks
/// joined with their letters where Unicode can.
pub fn plain(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    lower.nfkc().collect()
}

/// A list of different things that is full at some point.
struct Distinct<T> {
    all: Vec<T>,
    known: HashSet<T>,
    limit: usize,
}

impl<T: Clone + Eq + std::hash::Hash> Distinct<T> {
    fn new(limit: usize) -> Self {
        Self {
            all: Vec::new(),
            known: HashSet::new(),
            limit,
        }
    }

    fn is_full(&self) -> bool {
        self.all.len() >= self.limit
    }

    fn add(&mut self, one: T) {
        if !self.is_full() && self.known.insert(one.clone()) {
            self.all.push(one);
        }
    }
}

/// What stands between spaces, signs and pictures.
#[derive(Debug, PartialEq, Eq)]
enum Run<'a> {
    /// A word of a script with spaces, cut to its greatest length.
    Word(String),
    /// The letters, each with its marks, of a text without spaces.
    Letters(Vec<&'a str>),
}

/// What a letter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Letters,
    /// No letter and no digit.
    Between,
}

impl Kind {
    fn of(cluster: &str) -> Self {
        match cluster.chars().next() {
            Some(first) if !first.is_alphanumeric() => Self::Between,
            Some(first) if is_unspaced(first) => Self::Letters,
            Some(_) => Self::Word,
            None => Self::Between,
        }
    }
}

/// Whether a script is written without spaces between words; Korean is, because its words end in
/// many ways.
fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        // Thai, Lao; Myanmar; Hangul letters; Khmer.
        '\u{0e00}'..='\u{0eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        // Iteration marks and numerals of Han; Hiragana, Katakana, Bopomofo, Hangul letters.
        | '\u{3005}'..='\u{3007}'
        | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{318f}'
        | '\u{31a0}'..='\u{31ff}'
        // Han; Hangul; Han for compatibility; the further planes of Han and Kana.
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{1aff0}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}'
    )
}

/// Cuts a text into runs.
struct Runs<'a> {
    clusters: std::iter::Peekable<unicode_segmentation::Graphemes<'a>>,
}

impl<'a> Runs<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            clusters: text.graphemes(true).peekable(),
        }
    }

    /// The next letter, if it is of this kind.
    fn next_of(&mut self, kind: Kind) -> Option<&'a str> {
        self.clusters.next_if(|cluster| Kind::of(cluster) == kind)
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        loop {
            let first = self.clusters.next()?;
            match Kind::of(first) {
                Kind::Between => {}
                Kind::Word => {
                    let mut word = first.to_owned();
                    while let Some(more) = self.next_of(Kind::Word) {
                        // What is cut off anyway need not be collected.
                        if word.len() <= WORD_CHARS_MAX * char::MAX.len_utf8() {
                            word.push_str(more);
                        }
                    }
                    return Some(Run::Word(cut(&word)));
                }
                Kind::Letters => {
                    let mut letters = vec![first];
                    while let Some(more) = self.next_of(Kind::Letters) {
                        letters.push(more);
                    }
                    return Some(Run::Letters(letters));
                }
            }
        }
    }
}

/// Two letters side by side, and the next two.
fn pairs<'a>(letters: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
    letters.windows(2).map(|pair| cut(&pair.concat()))
}

/// The letters of a word and the marks on them, up to the greatest length. What chooses between
/// looks of the same letter (variation selectors, enclosing signs, joiners) does not count.
fn cut(word: &str) -> String {
    let mut kept = String::with_capacity(word.len().min(WORD_BYTES_MAX));
    let letters = word.chars().filter(|letter| {
        letter.is_alphanumeric() || (is_combining_mark(*letter) && !is_look(*letter))
    });
    for letter in letters.take(WORD_CHARS_MAX) {
        if kept.len() + letter.len_utf8() > WORD_BYTES_MAX {
            break;
        }
        kept.push(letter);
    }
    kept
}

fn is_look(mark: char) -> bool {
    matches!(mark, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{20dd}'..='\u{20e4}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(text: &str) -> Wanted {
        Wanted::Word(text.to_owned())
    }

    fn prefix(text: &str) -> Wanted {
        Wanted::Prefix(text.to_owned())
    }

    /// Whether a message would be found, as the index does it.
    fn finds(query: &str, text: &str) -> bool {
        let words = of_message(text);
        let wanted = of_query(query);
        !wanted.is_empty()
            && wanted.iter().all(|wanted| match wanted {
                Wanted::Word(wanted) => words.contains(wanted),
                Wanted::Prefix(start) => words.iter().any(|word| word.starts_with(start.as_str())),
            })
    }

    #[test]
    fn words_with_spaces_stay_whole() {
        assert_eq!(
            of_message("Hello, WORLD! It's 2026-11."),
            ["hello", "world", "it", "s", "2026", "11"]
        );
        assert_eq!(of_message("ann ANN Ann"), ["ann"]);
        assert_eq!(of_message("Привет, Straße"), ["привет", "straße"]);
        assert!(of_message(" \t… —!?").is_empty());
    }

    #[test]
    fn chinese_is_cut_into_pairs() {
        assert_eq!(
            of_message("我们去北京。"),
            ["我们", "们去", "去北", "北京", "京"]
        );
        assert_eq!(of_message("好"), ["好"]);
        assert_eq!(of_query("北京"), [word("北京")]);
        assert_eq!(of_query("去北京"), [word("去北"), word("北京")]);
        assert_eq!(of_query("京"), [prefix("京")]);
        for query in ["我", "们", "京", "北京", "我们", "去北京", "我们 北京"] {
            assert!(finds(query, "我们去北京。"), "{query}");
        }
        for query in ["京北", "我去", "上海"] {
            assert!(!finds(query, "我们去北京。"), "{query}");
        }
    }

    #[test]
    fn scripts_stand_side_by_side() {
        assert_eq!(
            of_message("用iPhone15拍照"),
            ["用", "iphone15", "拍照", "照"]
        );
        assert_eq!(of_query("iPh 拍照"), [prefix("iph"), word("拍照")]);
        assert!(finds("iph 拍照", "用iPhone15拍照"));
        assert_eq!(
            of_message("食べる カード"),
            ["食べ", "べる", "る", "カー", "ード", "ド"]
        );
        assert_eq!(of_message("안녕하세요").len(), 5);
        assert_eq!(of_message("สวัสดี").len(), 4);
    }

    #[test]
    fn one_way_to_write_what_looks_alike() {
        // Wide letters, narrow Katakana, a letter and its mark, a ligature.
        for (one, other) in [
            ("ＱＱ号", "qq号"),
            ("ｶｰﾄﾞ", "カード"),
            ("cafe\u{301}", "CAFÉ"),
            ("ﬁn", "FIN"),
            ("한", "\u{1112}\u{1161}\u{11ab}"),
        ] {
            assert_eq!(of_message(one), of_message(other), "{one}");
        }
        // A mark that joins no letter stays on it and parts no word.
        assert_eq!(of_message("x\u{301}y"), ["x\u{301}y"]);
    }

    #[test]
    fn pictures_are_no_words() {
        assert!(of_message("😀 👩‍👩‍👧 🇨🇳 ❤️").is_empty());
        assert_eq!(of_message("好😀的"), ["好", "的"]);
        assert_eq!(of_message("1️⃣ one"), ["1", "one"]);
        assert!(of_query("😀").is_empty());
    }

    #[test]
    fn the_last_word_of_a_query_may_be_unfinished() {
        assert_eq!(of_query("good mor"), [word("good"), prefix("mor")]);
        assert!(finds("good mor", "Good morning"));
        assert!(!finds("goo morning", "Good morning"));
        assert_eq!(of_query("mor 北京"), [prefix("mor"), word("北京")]);
    }

    #[test]
    fn nothing_grows_without_limit() {
        let long = "x".repeat(5000);
        assert_eq!(of_message(&long), ["x".repeat(WORD_CHARS_MAX)]);
        assert!(finds(&long, &long));
        let wide = "𝛁x".to_owned() + &"\u{10400}".repeat(40);
        assert!(
            of_message(&wide)
                .iter()
                .all(|word| word.len() <= WORD_BYTES_MAX)
        );
        let marked = "ก".to_owned() + &"\u{0e49}".repeat(5000);
        assert!(
            of_message(&marked)
                .iter()
                .all(|word| word.len() <= WORD_BYTES_MAX)
        );
        let many: Vec<String> = (0..1000).map(|n| format!("w{n}")).collect();
        assert_eq!(of_message(&many.join(" ")).len(), MESSAGE_WORDS_MAX);
        assert_eq!(of_query(&many.join(" ")).len(), QUERY_WORDS_MAX);
        let han: String = ('\u{4e00}'..='\u{5000}').collect();
        assert_eq!(of_message(&han).len(), MESSAGE_WORDS_MAX);
        assert_eq!(of_query(&han).len(), QUERY_WORDS_MAX);
    }

    /// Letters of the scripts without spaces, some others, and what stands between.
    fn mixed() -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            6 => prop::char::range('\u{4e00}', '\u{9fff}'),
            2 => prop::char::range('\u{3041}', '\u{3096}'),
            2 => prop::char::range('\u{ac00}', '\u{d7a3}'),
            1 => prop::char::range('\u{20000}', '\u{2a6df}'),
            2 => prop::char::range('a', 'z'),
            1 => prop::sample::select(vec![' ', '，', '😀', '1', 'É', '\u{301}']),
        ];
        prop::collection::vec(letter, 0..60).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn every_two_letters_side_by_side_are_found(text in mixed()) {
            let letters: Vec<char> = text.chars().collect();
            for (nth, pair) in letters.windows(2).enumerate() {
                let is_marked = letters.get(nth + 2) == Some(&'\u{301}');
                if !is_marked && pair.iter().all(|letter| is_unspaced(*letter)) {
                    let query: String = pair.iter().collect();
                    prop_assert!(finds(&query, &text), "{query} in {text}");
                }
            }
        }

        #[test]
        fn any_text_has_words_that_fit(text in any::<String>()) {
            for word in of_message(&text) {
                prop_assert!((1..=WORD_BYTES_MAX).contains(&word.len()));
                prop_assert!(word.chars().count() <= WORD_CHARS_MAX);
            }
            let _all = of_query(&text);
        }

        #[test]
        fn a_text_finds_itself(text in mixed()) {
            prop_assert!(of_query(&text).is_empty() || finds(&text, &text), "{text}");
        }
    }
}
