//! What is asked for: a request's body, checked against the scan in which the issue was seen.

use crate::job::Known;
use crate::seen::{Seen, Sight};
use api::Problem;
use api::auth::Identity;
use api::body::{field, illegal, remark};
use api::internal::Services;
use api::problem::Code;
use api::project_context::ProjectContext;
use api::v1::ExemptionBody;
use domain::exemption::{ExemptionRequest, Reach, Reason, Reviewed, Scope, SeenIn, Term};
use domain::ids::{ExemptionId, IssueId, OccurrenceId, PipelineName, ScanId, TargetName};
use domain::limits::{DURATION_DAYS_MAX, EXEMPTED_OCCURRENCES_MAX, EXEMPTION_TITLE_CHARS_MAX};
use domain::project::Settings;
use domain::time::Timestamp;
use finding::severity::Severity;
use std::collections::BTreeSet;
use store::kv::Kv;

/// Reads one request. `id` is the exemption's that it asks for.
///
/// # Errors
/// A field is not legal, or the issue or an occurrence is not where it is said to be.
pub(crate) async fn request<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
    sight: &mut Sight<'_, K>,
    id: ExemptionId,
    body: ExemptionBody,
) -> Result<ExemptionRequest, Problem> {
    let reason = field::<Reason>("reason", &body.reason)?;
    let term = term(&body, &known.project.settings, context.now)?;
    let text = remark("text", body.text.clone())?;
    if text.trim().is_empty() {
        return Err(illegal("text", "a reason in words is needed"));
    }
    let link = body.link.clone().map(link).transpose()?;
    let scope: Scope = field("scope", &body.scope)?;
    let seen = seen(context, who, known, sight, &body).await?;
    let (reach, severity) = reach(known, sight, &seen, scope, &body, context.now).await?;
    let settings = &known.project.settings;
    let most = settings.exemption_days_max.get(&settings.judged_as(severity)).copied();
    if let Some(excess) = term.excess(context.now, most) {
        return Err(illegal(term_field(&body), format_args!("{excess} for an issue of the level {severity}")));
    }
    Ok(ExemptionRequest {
        id,
        issue: seen.issue,
        title: seen.title.chars().take(EXEMPTION_TITLE_CHARS_MAX).collect(),
        scanner: seen.scanner.clone(),
        severity,
        seen: SeenIn { scan: seen.scan, target: seen.target.clone(), pipeline: seen.pipeline.clone() },
        reach,
        term,
        reason,
        text,
        link,
        returned_from: None,
    })
}

/// The issue where it was seen.
async fn seen<K: Kv, V: Services>(
    context: &ProjectContext<'_, K, V>,
    who: &Identity,
    known: &Known,
    sight: &mut Sight<'_, K>,
    body: &ExemptionBody,
) -> Result<Seen, Problem> {
    let issue: IssueId = field("issue", &body.issue)?;
    let target = body.target.as_deref().map(|target| field::<TargetName>("target", target)).transpose()?;
    let scan = body.scan.as_deref().map(|scan| field::<ScanId>("scan", scan)).transpose()?;
    let seen = match (scan, &target) {
        (Some(scan), _) => sight.in_scan(scan, issue).await?,
        (None, Some(target)) => {
            let held = known.project.targets.get(target).filter(|_| who.covers(target));
            let held = held.ok_or_else(|| illegal("target", format_args!("there is no target `{target}`")))?;
            sight.in_target(held.id, issue, context.now).await?
        }
        (None, None) => {
            return Err(illegal("target", "say where the issue was seen: in which `target`, or in which `scan`"));
        }
    };
    if let Some(target) = target.filter(|target| *target != seen.target) {
        return Err(illegal("target", format_args!("scan {} is of `{}`, not of `{target}`", seen.scan, seen.target)));
    }
    Ok(seen)
}

/// What the exemption is to hold for, and the highest level of that.
async fn reach<K: Kv>(
    known: &Known,
    sight: &mut Sight<'_, K>,
    seen: &Seen,
    scope: Scope,
    body: &ExemptionBody,
    now: Timestamp,
) -> Result<(Reach, Severity), Problem> {
    if scope != Scope::Occurrences && (body.future_occurrences || !body.occurrences.is_empty()) {
        let what = "they are chosen at the scope `occurrences` only; at any other the whole issue is exempted";
        return Err(illegal("occurrences", what));
    }
    let target = seen.target.clone();
    let reach = match scope {
        Scope::Occurrences => return chosen(known, sight, seen, body, now).await,
        Scope::Target => Reach::Target { target },
        Scope::Pipeline => Reach::Pipeline { pipeline: pipeline(body.pipeline.as_deref(), seen.pipeline.as_ref())? },
        Scope::Project => Reach::Project,
        Scope::Account => {
            let what = "an exemption for the whole installation can't be asked for; ask for the project, and the \
                        account's admin can grant it for all";
            return Err(illegal("scope", what));
        }
    };
    Ok((reach, seen.severity))
}

/// The pipeline that is named, or else the scan's.
pub(crate) fn pipeline(named: Option<&str>, seen: Option<&PipelineName>) -> Result<PipelineName, Problem> {
    match (named, seen) {
        (Some(named), _) => field("pipeline", named),
        (None, Some(seen)) => Ok(seen.clone()),
        (None, None) => Err(illegal("pipeline", "it is needed: the scan in which the issue was seen has none")),
    }
}

/// Chosen occurrences, in the form that they have in the scan in which they were seen.
async fn chosen<K: Kv>(
    known: &Known,
    sight: &mut Sight<'_, K>,
    seen: &Seen,
    body: &ExemptionBody,
    now: Timestamp,
) -> Result<(Reach, Severity), Problem> {
    let count = body.occurrences.len();
    if !(1..=EXEMPTED_OCCURRENCES_MAX).contains(&count) {
        let what =
            format_args!("{count} are chosen; choose 1 to {EXEMPTED_OCCURRENCES_MAX}, or exempt the whole issue");
        return Err(illegal("occurrences", what));
    }
    let ids = body.occurrences.iter().map(|id| field::<OccurrenceId>("occurrences", id));
    let mut wanted: BTreeSet<OccurrenceId> = ids.collect::<Result<_, _>>()?;
    let (mut occurrences, mut score, mut others) = (Vec::new(), None, 0_u32);
    sight
        .each_occurrence(seen, |candidate| {
            if wanted.remove(&candidate.id) {
                occurrences.push(Reviewed { id: candidate.id, form: candidate.form });
                score = score.max(candidate.score);
            } else {
                others += 1;
            }
        })
        .await?;
    if let Some(missing) = wanted.first() {
        let what = format_args!("issue {} has no occurrence {missing} in scan {}", seen.issue, seen.scan);
        return Err(illegal("occurrences", what));
    }
    occurrences.sort_unstable();
    let target = seen.target.clone();
    if !body.future_occurrences {
        return Ok((Reach::Occurrences { target, occurrences }, Severity::of(score)));
    }
    if others > 0 {
        let what = format_args!(
            "{others} of the issue's occurrences in scan {} are not chosen; only all of them together become the whole issue",
            seen.scan
        );
        return Err(illegal("future_occurrences", what));
    }
    let held = known.exemptions.exempting(&occurrences, &target, now);
    if let Some((occurrence, exemption)) = held {
        let detail = format!("occurrence {occurrence} is exempted by exemption {exemption}; cancel that first");
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok((Reach::Target { target }, seen.severity))
}

fn term(body: &ExemptionBody, settings: &Settings, now: Timestamp) -> Result<Term, Problem> {
    match (body.duration_days, &body.until, body.unlimited) {
        (Some(days), None, false) if (1..=DURATION_DAYS_MAX).contains(&days) => Ok(Term::Days(days)),
        (Some(days), None, false) => {
            Err(illegal("duration_days", format_args!("{days} is not from 1 to {DURATION_DAYS_MAX}")))
        }
        (None, Some(until), false) => {
            let end = Timestamp::parse_end(until).map_err(|error| illegal("until", error))?;
            let excess = Term::Until(end).excess(now, Some(DURATION_DAYS_MAX));
            excess.map_or(Ok(Term::Until(end)), |excess| Err(illegal("until", excess)))
        }
        (None, None, true) if settings.unlimited_exemptions => Ok(Term::Unlimited),
        (None, None, true) => Err(illegal(
            "unlimited",
            "the project's setting `unlimited_exemptions` does not allow exemptions without an end",
        )),
        _ => Err(illegal("duration_days", "say how long: exactly one of `duration_days`, `until` and `unlimited`")),
    }
}

/// The field that says how long, for what is wrong with it.
fn term_field(body: &ExemptionBody) -> &'static str {
    match (&body.duration_days, &body.until) {
        (Some(_), _) => "duration_days",
        (None, Some(_)) => "until",
        (None, None) => "unlimited",
    }
}

/// An address that a page can link to: of any other kind it could be a script.
fn link(link: String) -> Result<String, Problem> {
    let link = remark("link", link)?;
    let scheme = link.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") if !link.chars().any(char::is_whitespace) => Ok(link),
        _ => Err(illegal("link", "it must be an address that begins with `https://` or `http://`, without spaces")),
    }
}
