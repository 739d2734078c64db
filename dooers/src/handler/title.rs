//! Titles for threads, made from messages.

use super::WorkerRequest;
use crate::protocol::{ContentPart, MAX_TITLE_BYTES, is_visible};
use crate::text::{split_at_bytes, split_at_cluster};
use unicode_segmentation::UnicodeSegmentation;

/// Maximum length of a title in grapheme clusters, the characters that readers see.
const MOST_CLUSTERS: usize = 60;

/// The mark at the end of a title that was cut.
const CUT: &str = "…";

/// Maximum length in bytes of the beginning of a message in a title. A single cluster can have any length, and only
/// texts with such clusters reach this limit.
const MOST_BYTES: usize = MAX_TITLE_BYTES - CUT.len();

/// Makes a title for the thread: the first words of the message in one line, or else the kind of its content.
///
/// White space, line breaks and control characters in the message become single spaces. Characters without a glyph
/// that only affect the layout are left out. A title has at most 60 characters as readers see them (grapheme
/// clusters), and at most [`MAX_TITLE_BYTES`] bytes, which is the limit of a thread's title. A longer text is cut after
/// a word and ends with `…`. A single word that is too long is cut between two characters. Only a single character
/// that is longer than the limit, such as a letter with hundreds of accents, is cut itself.
///
/// The title of a message without visible text is `Form` if the message answers a form, and otherwise `Image`, `Audio`
/// or `Document`, depending on the first such part. If there is no content at all, the title is `Message`, so it is
/// never empty.
///
/// ```
/// use dooers::prelude::*;
///
/// /// Answers, and names the thread.
/// #[dooers::agent]
/// async fn support(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
///     response.update_thread(|thread| thread.title(title_from(&request))).await?;
///     Ok(())
/// }
///
/// assert_eq!(title_from(&WorkerRequest::new("Hello,\n  world")), "Hello, world");
/// ```
#[must_use]
pub fn title_from(request: &WorkerRequest) -> String {
    let line = one_line(&request.message);
    if line.is_empty() {
        return kind_of(request).to_owned();
    }
    cut(line)
}

/// The words of a text, up to about `MOST_BYTES`, with single spaces between them.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|char: char| char.is_whitespace() || char.is_control()) {
        if line.len() > MOST_BYTES {
            break;
        }
        if is_visible(word) {
            if !line.is_empty() {
                line.push(' ');
            }
            line.extend(word.chars().filter(|char| !is_layout(*char)));
        }
    }
    line
}

/// Returns true if a character has no glyph and only affects the layout. If a title is cut or shown in a list, a
/// change of direction would affect the text after it. Joiners and selectors are kept, because they change the
/// characters beside them.
fn is_layout(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Cuts a line that is too long.
fn cut(line: String) -> String {
    let bounded = match split_at_bytes(&line, MOST_BYTES) {
        // A single character is longer.
        ("", _) => &line[..line.floor_char_boundary(MOST_BYTES)],
        (whole, _) => whole,
    };
    let (_, rest) = split_at_cluster(bounded, MOST_CLUSTERS);
    if rest.is_empty() && bounded.len() == line.len() {
        return line;
    }
    let (most, _) = split_at_cluster(bounded, MOST_CLUSTERS - 1);
    let words = &most[..end_of_words(&line, most)];
    let end = [' ', ',', ';', ':', '.', '-'];
    let trimmed = words.trim_end_matches(end);
    let kept = if trimmed.is_empty() { words } else { trimmed };
    format!("{kept}{CUT}")
}

/// The end of the last whole word in `most`, which is the beginning of `line`. It is before a space if at least half
/// of `most` is left. Otherwise it is at a word boundary, for scripts and URLs without spaces.
fn end_of_words(line: &str, most: &str) -> usize {
    let space = if line[most.len()..].starts_with(' ') {
        Some(most.len())
    } else {
        most.rfind(' ')
    };
    let (half, _) = split_at_cluster(most, MOST_CLUSTERS / 2);
    if let Some(space) = space.filter(|space| *space >= half.len()) {
        return space;
    }
    let clusters: Vec<_> = most
        .grapheme_indices(true)
        .map(|(start, _)| start)
        .collect();
    let words = line.split_word_bound_indices().map(|(start, _)| start);
    let is_cut = |start: &usize| *start == most.len() || clusters.contains(start);
    let words = words
        .take_while(|start| *start <= most.len())
        .filter(is_cut);
    words.last().filter(|end| *end > 0).unwrap_or(most.len())
}

fn kind_of(request: &WorkerRequest) -> &'static str {
    if request.form().is_some() {
        return "Form";
    }
    let kind = |part: &ContentPart| match part {
        ContentPart::Text { .. } => None,
        ContentPart::Image { .. } => Some("Image"),
        ContentPart::Audio { .. } => Some("Audio"),
        ContentPart::Document { .. } => Some("Document"),
    };
    request.content.iter().find_map(kind).unwrap_or("Message")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn title(text: &str) -> String {
        title_from(&WorkerRequest::new(text))
    }

    fn title_of(content: Vec<ContentPart>) -> String {
        let mut request = WorkerRequest::new("");
        request.content = content;
        title_from(&request)
    }

    #[test]
    fn title_is_the_text_in_one_line() {
        for (text, expected) in [
            ("Where is my order?", "Where is my order?"),
            (
                "  Where\r\n\tis\u{a0}my \u{2028} order?\n",
                "Where is my order?",
            ),
            ("a\u{0}b\u{1b}[1mc\u{7f}d", "a b [1mc d"),
            ("\u{feff}Hi\u{200b} \u{200b} there\u{202e}", "Hi there"),
            ("❤️ 👨‍👩‍👧‍👦", "❤️ 👨‍👩‍👧‍👦"),
        ] {
            assert_eq!(title(text), expected, "{text:?}");
        }
    }

    #[test]
    fn title_ends_behind_a_word() {
        let long = "I ordered a blue kettle last week, but a red one arrived today";
        assert_eq!(
            title(long),
            "I ordered a blue kettle last week, but a red one arrived…"
        );
        let exact = "x".repeat(29) + " " + &"y".repeat(30);
        assert_eq!(title(&exact), exact);
        assert_eq!(title(&format!("{exact} z")), "x".repeat(29) + "…");
        let comma = "x".repeat(40) + ", and so on and so on, longer than that";
        assert_eq!(title(&comma), "x".repeat(40) + ", and so on and so…");
        // A long URL after a short word: a cut before the URL would leave too little.
        let address = format!("See https://example.org/{}", "a".repeat(90));
        assert_eq!(title(&address), "See https://example.org/…");
    }

    #[test]
    fn title_without_spaces_ends_between_characters() {
        assert_eq!(title(&"x".repeat(61)), "x".repeat(59) + "…");
        assert_eq!(title(&"好".repeat(61)), "好".repeat(59) + "…");
        assert_eq!(title(&"🇩🇪".repeat(61)), "🇩🇪".repeat(59) + "…");
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(title(&family.repeat(40)), family.repeat(40));
    }

    #[test]
    fn title_of_endless_clusters_is_bounded() {
        let zalgo = format!("z{}", "\u{301}".repeat(100_000));
        assert_eq!(title(&zalgo).len(), 1024);
        assert!(title(&zalgo).starts_with("z\u{301}"));
        // A character that does not fit is left out as a whole.
        let (short, long) = ("ab", format!("z{}", "\u{301}".repeat(600)));
        assert_eq!(title(&format!("{short}{long}")), "ab…");
        assert_eq!(title(&format!("{short} {long}")), "ab…");
        let family = "👨‍👩‍👧‍👦".repeat(59);
        assert_eq!(family.len(), 1475);
        let cut = title(&family);
        assert_eq!(cut, "👨‍👩‍👧‍👦".repeat(40) + "…");
    }

    #[test]
    fn title_without_text_is_the_kind_of_content() {
        let image = || ContentPart::image("https://example.org/cat.png").into();
        let document = || ContentPart::document("https://example.org/x", "x.pdf").into();
        assert_eq!(title_of(vec![image()]), "Image");
        assert_eq!(
            title_of(vec![ContentPart::text(" \u{200b}"), document(), image()]),
            "Document"
        );
        assert_eq!(
            title_of(vec![ContentPart::audio("https://example.org/x.mp3").into()]),
            "Audio"
        );
        assert_eq!(title_of(Vec::new()), "Message");
        assert_eq!(title("\n\u{feff}"), "Message");
        let mut answer = WorkerRequest::form_response("f", json!({}));
        assert_eq!(title_from(&answer), "Form");
        answer.message = "My answers".to_owned();
        assert_eq!(title_from(&answer), "My answers");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn title_of_any_text_is_one_short_line(
            text in r"([\PC\s\p{Cc}]|\u{301}|\u{200d}|🇩|🇪|👩|\u{fe0f}|[a-z]{1,9}| ){0,150}",
        ) {
            let title = title(&text);
            prop_assert!(is_visible(&title));
            prop_assert!(title.graphemes(true).count() <= MOST_CLUSTERS, "{:?}", title);
            prop_assert!(title.len() <= MAX_TITLE_BYTES, "{:?}", title);
            prop_assert!(!title.chars().any(char::is_control));
            prop_assert_eq!(title.trim(), &title);
            prop_assert!(!title.contains("  "));
            // The kept text consists of whole clusters.
            if let Some(kept) = title.strip_suffix('…')
                && one_line(&text).starts_with(kept)
                && kept.len() < one_line(&text).len()
            {
                let line = one_line(&text);
                let mut starts = line.grapheme_indices(true).map(|(start, _)| start);
                prop_assert!(starts.any(|start| start == kept.len()), "{:?} of {:?}", title, line);
            }
        }
    }
}
