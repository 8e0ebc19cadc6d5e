//! Short messages above a page: what was just done, and errors.

use super::list::count;
use crate::request::PageRequest;
use maud::{Markup, html};

/// The notices, by the query parameter `done`. The list is fixed, so a link cannot show another text.
const NOTICES: &[(&str, &str)] = &[
    ("project-created", "Project created."),
    ("settings-saved", "Settings saved."),
    ("settings-requested", "Change of the settings requested. Another person has to approve it."),
    ("settings-request-approve", "Request approved. The settings apply from the next scan."),
    ("settings-request-reject", "Request rejected."),
    ("settings-request-withdraw", "Request withdrawn."),
    ("baseline-saved", "Baseline saved. It applies from the next scan."),
    ("scan-accepted", "Scan accepted. The next scans of this variant are compared with it."),
    ("missing-accepted", "Scan accepted. Later reports are complete without the missing parts."),
    ("accept-requested", "Acceptance requested. Another person has to approve it."),
    ("accept-request-reject", "Request rejected."),
    ("accept-request-withdraw", "Request withdrawn."),
    ("baseline-requested", "Change of the baseline requested. Another person has to approve it."),
    ("baseline-request-approve", "Request approved. The baseline applies from the next scan."),
    ("baseline-request-reject", "Request rejected."),
    ("baseline-request-withdraw", "Request withdrawn."),
    ("approved", "Request approved. The exemption applies from the next scan."),
    ("rejected", "Request rejected."),
    ("revoked", "Approval revoked. The issue counts again from the next scan."),
    ("request-withdrawn", "Request withdrawn."),
    ("exemption-withdrawn", "Exemption withdrawn. The issue counts again from the next scan."),
    ("reopened", "Request reopened. A reviewer will decide on it."),
    ("token-revoked", "Token revoked. It no longer gives access."),
];
/// The notices for several exemptions at once: with the query parameter `count`, its noun, and the rest of the text.
const COUNTED: &[(&str, &str, &str)] = &[
    ("approved", "request", "approved. Approved exemptions apply from the next scan."),
    ("rejected", "request", "rejected."),
    ("revoked", "approval", "revoked. The issues count again from the next scan."),
    ("request-withdrawn", "request", "withdrawn."),
    ("exemption-withdrawn", "exemption", "withdrawn. The issues count again from the next scan."),
    ("reopened", "request", "reopened. A reviewer will decide on them."),
];

/// The notice that the query names. Only a link from a page of the dashboard shows it.
pub(crate) fn of_request<A>(request: &PageRequest<'_, A>) -> Markup {
    let word = if request.from_own_page { request.text("done") } else { "" };
    let single = NOTICES.iter().find(|(known, _)| *known == word).map(|(_, text)| (*text).to_owned());
    let counted = request.text("count").parse::<u32>().ok().and_then(|number| {
        let (_, noun, rest) = COUNTED.iter().find(|(known, ..)| *known == word)?;
        Some(format!("{} {rest}", count(number.into(), noun)))
    });
    html! { @if let Some(text) = counted.or(single) { (good(&text)) } }
}

/// A message of success.
pub(crate) fn good(text: &str) -> Markup {
    html! { p class="notice good" role="status" { (text) } }
}

/// An error message.
pub(crate) fn bad(text: &str) -> Markup {
    html! { p class="notice bad" role="alert" { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeApi, session, with_get};
    use domain::role::Role;

    #[test]
    fn several_decisions_are_counted() {
        let notice = |url: &str| {
            with_get(&FakeApi::default(), &session(Role::Viewer), url, async |request| {
                of_request(request).into_string()
            })
        };
        assert!(notice("/e?done=approved").contains("Request approved."));
        assert!(notice("/e?done=approved&count=3").contains("3 requests approved."));
        assert!(notice("/e?done=revoked&count=1").contains("1 approval revoked."));
        assert!(notice("/e?done=approved&count=%3Cb%3E").contains("Request approved."));
        assert_eq!(notice("/e?done=none&count=3"), "");
    }
}
