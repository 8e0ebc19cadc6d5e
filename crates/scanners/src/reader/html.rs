//! Converts the HTML in descriptions to text.

use html5gum::{Token, Tokenizer};

/// Elements that begin and end with a line break.
const BLOCKS: [&[u8]; 14] =
    [b"p", b"br", b"div", b"li", b"ul", b"ol", b"pre", b"tr", b"table", b"h1", b"h2", b"h3", b"h4", b"blockquote"];

/// The text of a piece of HTML: without tags, with entities resolved, paragraphs on separate lines. Text without tags
/// and entities is only trimmed.
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

/// True if the text of an element is on lines of its own.
pub(crate) fn is_block(name: &[u8]) -> bool {
    BLOCKS.contains(&name)
}

/// The text without white space at its ends and at the ends of its lines. Several blank lines become one.
pub(crate) fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::with_capacity(lines.len());
    for line in lines {
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
    fn tags_are_removed_and_entities_resolved() {
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
