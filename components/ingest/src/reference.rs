//! Which scan a new one is compared with, and what its report lacks: chosen once, from what is recorded at that moment,
//! and frozen into the scan.

use crate::upload::Context;
use api::internal::Services;
use api::problem::Problem;
use domain::baseline::{Baseline, BaselineSource, ChosenBaseline, PatternError};
use domain::ids::{ScanId, ScannerId, TargetId, VariantName};
use domain::journal::JournalId;
use domain::parts::{KnownParts, MISSING_LISTED_MAX, PartSet};
use domain::project::Project;
use domain::reference::Reference;
use domain::reference::choose::BaselineScan;
use domain::reference::choose::{ResolvedBaseline, ScannedVariant};
use domain::scan::{Head, ScanRecord, ScanRequest};
use domain::scan_log::ScanLog;
use domain::series::series;
use domain::time::Timestamp;
use store::kv::Kv;
use store::scans::Frozen;
use store::{document, journal, keys};

/// How often one looks whether a scan that is recorded is answered too: that takes a moment.
const ANSWERED_TRIES: u32 = 40;
/// The tool of reports by several tools.
const SEVERAL_TOOLS: &str = "sarif";

/// What is chosen.
pub(crate) struct Chosen {
    /// The scan to compare with.
    pub(crate) reference: Reference,
    /// The variant's own newest complete scan, if that is another.
    pub(crate) lineage: Option<ScanId>,
    /// The parts that the report lacks, the first of them.
    pub(crate) missing: Vec<String>,
    /// Whether the scan is one of the target's baseline, or of a target that has none.
    pub(crate) baseline: bool,
}

/// What a report is of.
pub(crate) struct Contents<'a> {
    pub(crate) tool: &'a ScannerId,
    pub(crate) categories: &'a [String],
    pub(crate) parts: &'a [String],
}

/// Chooses by the baseline, the heads and the target's scans as they are now.
///
/// # Errors
/// The store failed.
pub(crate) async fn choose<K: Kv, S, V: Services>(
    context: &Context<'_, K, S, V>,
    state: &Project,
    request: &ScanRequest,
    read: &Contents<'_>,
) -> Result<Chosen, Problem> {
    let (kv, now) = (context.kv, context.now);
    let target = request.target_id();
    let settled = state.baseline(&request.target, request.target_type);
    let mut of = Scans { kv, target, tool: read.tool.clone(), categories: read.categories.to_vec() };
    let mut missing = Vec::new();

    let mut known = known_parts(kv, target, &request.variant, read).await?;
    if let Some(set) = known.as_ref().and_then(|known| lacking(known, read, &mut missing)) {
        of = of.like(set);
    }
    let mut own = of.head(&request.variant).await?;
    let scanned = ScannedVariant { variant: &request.variant, before: own.is_some() };
    let meant = meant(&of, &settled, scanned, request, now).await?;
    if let (None, ResolvedBaseline::Variant(baseline, _)) = (&known, &meant)
        && *baseline != request.variant
    {
        known = known_parts(kv, target, baseline, read).await?;
        if let Some(set) = known.as_ref().and_then(|known| lacking(known, read, &mut missing)) {
            of = of.like(set);
            own = of.head(&request.variant).await?;
        }
    }
    let of_baseline = match &meant {
        ResolvedBaseline::Variant(baseline, _) if *baseline == request.variant => BaselineScan::None,
        ResolvedBaseline::Variant(baseline, Some(seen)) if seen.series == Some(of.series()) => {
            // The journal says it first: the head is moved a moment later.
            match answered(context, seen.scan).await? {
                true => BaselineScan::Complete(seen.scan),
                false => of.of_baseline(baseline).await?,
            }
        }
        ResolvedBaseline::Variant(baseline, _) => of.of_baseline(baseline).await?,
        ResolvedBaseline::None | ResolvedBaseline::NothingScanned => BaselineScan::None,
    };
    // Of one series the report before tells too what is to be there, also if others have come instead.
    if let (true, Some(head)) = (missing.is_empty() && !read.parts.is_empty(), own) {
        let before = Frozen::get(kv, head).await?.record.parts;
        let gone = before.into_iter().filter(|part| !read.parts.contains(part));
        missing = gone.take(MISSING_LISTED_MAX).collect();
    }
    // Compared with the report that had them all the same: what they found is remediated.
    if request.accept_missing {
        missing.clear();
    }
    let reference = Reference::choose(&request.variant, &meant, of_baseline, own);
    let baseline = settled.includes(&request.variant, &reference).map_err(|error| stored(&error))?;
    let lineage = own.filter(|own| reference.scan() != Some(*own));
    Ok(Chosen { reference, lineage, missing, baseline })
}

/// Whether the upload of a scan came to its end. One that is being answered is waited for; one that died counts nowhere.
async fn answered<K: Kv, S, V: Services>(context: &Context<'_, K, S, V>, scan: ScanId) -> Result<bool, Problem> {
    for _ in 0..ANSWERED_TRIES {
        if context.kv.get(&keys::answer(scan)).await?.is_some() {
            return Ok(true);
        }
        context.services.pause().await;
    }
    Ok(false)
}

/// The variant that the baseline means. The journal is read only where the baseline's head does not answer it.
async fn meant(
    of: &Scans<'_, impl Kv>,
    settled: &ChosenBaseline,
    scanned: ScannedVariant<'_>,
    request: &ScanRequest,
    now: Timestamp,
) -> Result<ResolvedBaseline, Problem> {
    let log = match (&settled.baseline, settled.origin) {
        (None, _) | (Some(Baseline::Variant(_)), BaselineSource::Target) => ScanLog::default(),
        (Some(Baseline::Variant(variant)), BaselineSource::Project | BaselineSource::BuiltIn) => {
            if variant == scanned.variant || of.head(variant).await?.is_some() {
                return Ok(ResolvedBaseline::Variant(variant.clone(), None));
            }
            load(of, request, now).await?
        }
        (Some(Baseline::Regex(_)), _) => load(of, request, now).await?,
    };
    settled.resolve(Some(scanned), &log).map_err(|error| stored(&error))
}

fn stored(error: &PatternError) -> Problem {
    Problem::internal(format!("the stored baseline: {error}"))
}

async fn load(of: &Scans<'_, impl Kv>, request: &ScanRequest, now: Timestamp) -> Result<ScanLog, Problem> {
    let journal = JournalId::Scans { project: request.project.clone(), target: of.target };
    Ok(journal::load::<ScanLog>(of.kv, &journal, now).await?.state)
}

/// The scans of a target that follow one another: those of one tool and of the same categories.
struct Scans<'a, K> {
    kv: &'a K,
    target: TargetId,
    tool: ScannerId,
    categories: Vec<String>,
}

impl<K: Kv> Scans<'_, K> {
    /// Those that a known report of more parts belongs to.
    fn like(self, set: &PartSet) -> Self {
        Self { tool: set.tool.clone(), categories: set.categories.clone(), ..self }
    }

    fn series(&self) -> domain::digest::Short {
        series(&self.tool, &self.categories)
    }

    /// A variant's newest complete scan.
    async fn head(&self, variant: &VariantName) -> Result<Option<ScanId>, Problem> {
        let key = keys::head(self.target, variant, &self.tool, &self.categories);
        Ok(document::find::<Head>(self.kv, &key).await?.map(|head| head.scan))
    }

    async fn of_baseline(&self, baseline: &VariantName) -> Result<BaselineScan, Problem> {
        if let Some(scan) = self.head(baseline).await? {
            return Ok(BaselineScan::Complete(scan));
        }
        let key = keys::head_incomplete(self.target, baseline, &self.tool, &self.categories);
        let incomplete = document::find::<Head>(self.kv, &key).await?;
        Ok(incomplete.map_or(BaselineScan::None, |_| BaselineScan::Incomplete))
    }
}

/// What is known of the parts of a variant's reports: by the report's tool, and, where a report by this tool alone is not
/// known, by several together. Nothing, if nothing of either was ever recorded.
async fn known_parts(
    kv: &impl Kv,
    target: TargetId,
    variant: &VariantName,
    read: &Contents<'_>,
) -> Result<Option<KnownParts>, Problem> {
    if read.parts.is_empty() {
        return Ok(None);
    }
    let of_tool = document::find::<KnownParts>(kv, &keys::parts(target, variant, read.tool)).await?;
    let settled =
        of_tool.as_ref().is_some_and(|known| known.has(read.parts) || known.missing_parts(read.parts).is_some());
    let several = several_tools()?;
    if settled || *read.tool == several {
        return Ok(of_tool);
    }
    let of_several = document::find::<KnownParts>(kv, &keys::parts(target, variant, &several)).await?;
    Ok(match (of_tool, of_several) {
        (Some(of_tool), Some(of_several)) => {
            let sets = of_several.sets.into_iter().chain(of_tool.sets).collect();
            Some(KnownParts { sets, ..KnownParts::default() })
        }
        (of_tool, of_several) => of_tool.or(of_several),
    })
}

fn several_tools() -> Result<ScannerId, Problem> {
    SEVERAL_TOOLS.parse().map_err(|error| Problem::internal(format!("{error}")))
}

fn lacking<'a>(known: &'a KnownParts, read: &Contents<'_>, missing: &mut Vec<String>) -> Option<&'a PartSet> {
    let lacking = known.missing_parts(read.parts)?;
    *missing = lacking.parts.into_iter().take(MISSING_LISTED_MAX).map(str::to_owned).collect();
    Some(lacking.of)
}

/// Remembers the parts of a complete scan's report, so that a later one that lacks some is noticed.
///
/// # Errors
/// The store failed.
pub(crate) async fn remember_parts(kv: &impl Kv, record: &ScanRecord) -> Result<(), Problem> {
    if record.parts.is_empty() {
        return Ok(());
    }
    let key = keys::parts(record.request.target_id(), &record.request.variant, &record.tool);
    let known = document::find::<KnownParts>(kv, &key).await?.unwrap_or_default();
    if known.has(&record.parts) {
        return Ok(());
    }
    let (parts, tool, categories) = (record.parts.clone(), record.tool.clone(), record.categories.clone());
    document::put(kv, &key, &known.with(PartSet { parts, tool, categories })).await?;
    Ok(())
}
