//! Takes the text out of HTML that scanners write into their descriptions.

use html5gum::{Token, Tokenizer};

/// Elements around which the text goes on on a new line.
const BLOCKS: [&[u8]; 14] =
    [b"p", b"br", b"div", b"li", b"ul", b"ol", b"pre", b"tr", b"table", b"h1", b"h2", b"h3", b"h4", b"blockquote"];

/// The text of a piece of HTML: without tags, with its characters in place of their names, paragraphs on their lines.
/// What has no tag and no such name stays as it is.
pub(crate) fn text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.trim().to_owned();
    }
    let mut text = String::with_capacity(html.len());
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::String(part) => text.push_str(&String::from_utf8_lossy(&part)),
            Token::StartTag(tag) if is_block(&tag.name) => text.push('\n'),
            Token::EndTag(tag) if is_block(&tag.name) => text.push('\n'),
            Token::StartTag(_) | Token::EndTag(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    tidy(&text)
}

/// Whether an element's text stands on lines of its own.
pub(crate) fn is_block(name: &[u8]) -> bool {
    BLOCKS.contains(&name)
}

/// The text without blanks at its ends and at those of its lines, and with no more than one blank line at a time.
pub(crate) fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    for line in lines {
        // Of several blank lines one is enough.
        if !line.trim().is_empty() || kept.last().is_some_and(|last| !last.trim().is_empty()) {
            kept.push(line);
        }
    }
    kept.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_characters_come() {
        let cases = [
            ("plain", "plain"),
            ("<span>one</span> <span>two</span>", "one two"),
            ("<p>one</p>\n\n<p>a &lt; b &amp;&amp; c</p>", "one\n\na < b && c"),
            ("a<br/>b<script>", "a\nb"),
            ("<pre>  indented\n    more</pre>", "indented\n    more"),
            ("<unclosed", ""),
        ];
        for (html, expected) in cases {
            assert_eq!(text(html), expected, "{html}");
        }
    }
}
