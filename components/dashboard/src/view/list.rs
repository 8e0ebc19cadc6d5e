//! Parts of lists: the links to other pages, the message of an empty list, numbers with nouns.

use maud::{Markup, html};

/// The message of an empty list, with a hint on what to do.
pub(crate) fn empty(message: &str, hint: &Markup) -> Markup {
    html! { div class="empty" { p class="message" { (message) } p { (hint) } } }
}

/// The links to the first and the next page of the list `name`; empty for a single page.
pub(crate) fn pager(name: &str, first: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav class="pager" aria-label={ "Pagination of " (name) } {
                @if let Some(first) = first { a href=(first) { "First page" } }
                @if let Some(next) = next { a href=(next) rel="next" { "Next page" } }
            }
        }
    }
}

/// A number with its noun in singular or plural.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = match (number, noun.strip_suffix('y')) {
        (1, _) => return format!("1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        (_, _) => format!("{noun}s"),
    };
    format!("{number} {plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!([count(0, "issue"), count(1, "issue"), count(2, "issue")], ["0 issues", "1 issue", "2 issues"]);
        assert_eq!(count(3, "vulnerability"), "3 vulnerabilities");
        assert_eq!(count(30, "day"), "30 days");
    }
}
