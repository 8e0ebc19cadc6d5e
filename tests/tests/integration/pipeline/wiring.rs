//! The components' jobs over one store in memory, called directly instead of by HTTP.

use api::auth::authenticate;
use api::calls::{self, CallTable};
use api::internal::{Append, Appended, Count, ParseRequest, ParseResult, Services, Stage, hold_nothing};
use api::page::Wanted;
use api::problem::Problem;
use api::v1::{
    AcceptBody, AcceptedAnswer, BulkDecision, DecisionBody, DecisionsBody, Execution, ExemptionBody, ExemptionItem,
    Explanation, IssueItem, OccurrenceItem, Overview, PreviewItem, ReplayAnswer, RequestsBody, ScanAnswer,
    SettingsBody, TargetItem, TargetPatch, TokenBody, TokenItem, Unused, VariantItem,
};
use bytes::Bytes;
use domain::comparison::Bucket;
use domain::ids::{EventId, IssueId, OccurrenceId, ProjectId, ScanId};
use domain::listing::{IssueFilter, Sort};
use domain::time::Timestamp;
use domain::version::Versions;
use exemptions::job::ExemptionJob;
use exemptions::preview::PreviewQuery;
use futures::executor::block_on;
use ingest::{ByteSource, Encoding, Ingest, ReplayRequest, UploadPart, UploadParts, UploadRequest, Uploaded};
use projects::job::ProjectJob;
use projects::tokens::TokenJob;
use results::execution::Run;
use results::job::ResultsJob;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::Write as _;
use std::time::Duration;
use store::memory::MemoryKv;
use store::poll::Clock;

/// The installation's admin token.
pub(crate) const ADMIN: &str = "gate_0123456789abcdefghijklmnopqrstuv";
const START_MS: i64 = 1_795_414_680_000;

/// An upload to make.
#[derive(Clone)]
pub(crate) struct Upload {
    /// The system's own if absent.
    project: Option<String>,
    query: String,
    key: Option<String>,
    token: Option<String>,
    encoding: Encoding,
    source: Option<Vec<u8>>,
    body: Vec<u8>,
    body_takes: Duration,
}

pub(crate) fn upload(variant: &str, body: &[u8]) -> Upload {
    upload_of("bandit", "notes", variant, body)
}

pub(crate) fn upload_of(scanner: &str, target: &str, variant: &str, body: &[u8]) -> Upload {
    Upload {
        project: None,
        query: format!("scanner={scanner}&target={target}&variant={variant}"),
        key: None,
        token: None,
        encoding: Encoding::Identity,
        source: None,
        body: body.to_vec(),
        body_takes: Duration::ZERO,
    }
}

impl Upload {
    pub(crate) fn fail_on(mut self, level: &str) -> Self {
        self.query += &format!("&fail_on_severity={level}");
        self
    }
    pub(crate) fn with(mut self, parameter: &str, value: &str) -> Self {
        self.query += &format!("&{parameter}={value}");
        self
    }
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }
    pub(crate) fn project(mut self, project: &str) -> Self {
        self.project = Some(project.to_owned());
        self
    }
    /// With a sidecar before the report.
    pub(crate) fn source(mut self, sidecar: &str) -> Self {
        self.source = Some(sidecar.as_bytes().to_vec());
        self
    }
    /// With a client that sends its body slowly.
    pub(crate) fn body_takes(mut self, time: Duration) -> Self {
        self.body_takes = time;
        self
    }
    pub(crate) fn gzip(mut self) -> Self {
        self.encoding = Encoding::Gzip;
        self
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A Bandit report of so many results.
pub(crate) fn bandit(results: usize) -> Vec<u8> {
    let result = |n: usize| {
        let (file, line) = (n / 40, n % 40 * 10 + 2);
        format!(
            r#"{{"code": "{} def f{n}():\n{line}     subprocess.run('tar {n}', shell=True)\n{} \n", "col_offset": 4, "end_col_offset": 40, "filename": "./src/module_{file}/views.py", "issue_confidence": "HIGH", "issue_cwe": {{"id": 78, "link": "https://cwe.mitre.org/data/definitions/78.html"}}, "issue_severity": "LOW", "issue_text": "subprocess call with shell=True identified, security issue.", "line_number": {line}, "line_range": [{line}], "more_info": "https://bandit.readthedocs.io/en/1.9.4/plugins/b602.html", "test_id": "B{}", "test_name": "rule_{}"}}"#,
            line - 1,
            line + 1,
            n % 60,
            n % 60
        )
    };
    let list: Vec<_> = (0..results).map(result).collect();
    format!(
        r#"{{"errors": [], "generated_at": "2026-11-23T04:00:00Z", "metrics": {{}}, "results": [{}]}}"#,
        list.join(",\n")
    )
    .into_bytes()
}

/// Asks for a token without an end, for all targets.
pub(crate) fn token_body(name: &str, role: &str) -> TokenBody {
    TokenBody { never_expires: Some(true), ..TokenBody::new(name.to_owned(), role.parse().unwrap()) }
}

/// The parts of an upload in pieces; bytes are those of the part that was gone to last.
struct Pieces<'a> {
    clock: &'a MemoryKv,
    /// The time that the end of the body takes.
    takes: Duration,
    encoding: Encoding,
    parts: VecDeque<(UploadPart, Bytes)>,
    rest: Bytes,
}

impl<'a> Pieces<'a> {
    fn of(wanted: &mut Upload, clock: &'a MemoryKv) -> Self {
        let source = wanted.source.take().map(|source| (UploadPart::Sidecar, source.into()));
        let report = (UploadPart::Report, std::mem::take(&mut wanted.body).into());
        let parts = source.into_iter().chain([report]).collect();
        Self { clock, takes: wanted.body_takes, encoding: wanted.encoding, parts, rest: Bytes::new() }
    }
}

impl UploadParts for Pieces<'_> {
    async fn next_part(&mut self) -> Result<Option<UploadPart>, Problem> {
        let Some((part, bytes)) = self.parts.pop_front() else { return Ok(None) };
        self.rest = bytes;
        Ok(Some(part))
    }
}

impl ByteSource for Pieces<'_> {
    fn encoding(&self) -> Encoding {
        self.encoding
    }
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.clock.sleep(std::mem::take(&mut self.takes)).await;
        let length = self.rest.len().min(16 * 1024);
        Ok((length > 0).then(|| self.rest.split_to(length)))
    }
}

/// One installation.
pub(crate) struct System {
    pub(crate) kv: MemoryKv,
    project: ProjectId,
    random: Cell<u64>,
    clock: Cell<i64>,
    stages_take: Cell<Duration>,
    gates_run: Cell<usize>,
}

impl Services for System {
    async fn parse(&self, request: &ParseRequest) -> Result<ParseResult, Problem> {
        parser::job::parse(&self.kv, request.clone())
    }
    async fn run_stage(&self, stage: Stage, scan: ScanId) -> Result<(), Problem> {
        self.kv.sleep(self.stages_take.get()).await;
        match stage {
            Stage::Fingerprint => fingerprint::job::run(&self.kv, scan, hold_nothing).await,
            Stage::Baseline => baseline::job::run(&self.kv, scan, hold_nothing).await,
            Stage::Gate => {
                self.gates_run.set(self.gates_run.get() + 1);
                gate::job::run(&self.kv, scan, self.now(), hold_nothing).await
            }
        }
    }
    async fn append(&self, request: &Append) -> Result<Appended, Problem> {
        ledger::job::append(&self.kv, request.clone(), || self.now()).await
    }
    async fn count(&self, what: &Count) -> Result<u64, Problem> {
        Ok(ledger::job::count(&self.kv, what.clone()).await?.n)
    }
}

impl Clock for System {
    fn now(&self) -> Duration {
        Clock::now(&self.kv)
    }
    async fn sleep(&self, duration: Duration) {
        self.kv.sleep(duration).await;
    }
}

impl System {
    pub(crate) fn new() -> Self {
        Self::new_project("shop")
    }

    pub(crate) fn new_project(project: &str) -> Self {
        let system = Self {
            kv: MemoryKv::default(),
            project: project.parse().unwrap(),
            random: Cell::new(0),
            clock: Cell::new(START_MS),
            stages_take: Cell::new(Duration::ZERO),
            gates_run: Cell::new(0),
        };
        system.settings(SettingsBody::default());
        system
    }

    pub(crate) fn settings(&self, settings: SettingsBody) {
        block_on(self.project_job(self.who(ADMIN)).put_project(settings, false, None)).unwrap();
    }

    /// Goes on in another project of the installation, which is made if it is not there.
    pub(crate) fn switch(&mut self, project: &str) {
        self.project = project.parse().unwrap();
        self.settings(SettingsBody::default());
    }

    /// Makes every stage that begins from now on take so long.
    pub(crate) fn stages_take(&self, time: Duration) {
        self.stages_take.set(time);
    }

    /// The number of times that the gate has run.
    pub(crate) fn gates_run(&self) -> usize {
        self.gates_run.get()
    }

    /// Lets time pass.
    pub(crate) fn pass_days(&self, days: i64) {
        self.clock.set(self.clock.get() + days * 24 * 60 * 60 * 1000);
    }

    /// Random bits that are the same in every run.
    fn bits(&self) -> [u8; 16] {
        self.random.set(self.random.get() + 1);
        let mut bits = [0; 16];
        bits[..8].copy_from_slice(&self.random.get().to_be_bytes());
        bits
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.clock.get())
    }

    pub(crate) fn who(&self, token: &str) -> api::auth::Identity {
        block_on(authenticate(&self.kv, ADMIN, Some(&format!("Bearer {token}")), None, self.now())).unwrap()
    }

    /// The holder of a token, if the holder may make a call to a project.
    async fn allowed(
        &self,
        kv: &MemoryKv,
        token: &str,
        project: &str,
        call: impl CallTable,
    ) -> Result<api::auth::Identity, Problem> {
        let who = authenticate(kv, ADMIN, Some(&format!("Bearer {token}")), None, self.now()).await?;
        who.authorize(Some(&project.parse().unwrap()), call.spec().access)?;
        Ok(who)
    }

    pub(crate) fn context(&self) -> Ingest<'_, MemoryKv, Self> {
        self.clock.set(self.clock.get() + 1000);
        Ingest {
            kv: &self.kv,
            services: self,
            storage_key: String::new(),
            now: self.now(),
            random: self.bits(),
            raw_key: [7; 32],
        }
    }

    pub(crate) fn calls(&self) -> api::project_context::ProjectContext<'_, MemoryKv, Self> {
        api::project_context::ProjectContext {
            kv: &self.kv,
            services: self,
            now: self.now(),
            event: EventId::from_bits(self.bits()),
            project: self.project.clone(),
        }
    }

    /// A call to the project.
    pub(crate) fn project_job(&self, caller: api::auth::Identity) -> ProjectJob<'_, MemoryKv, Self> {
        ProjectJob { context: self.calls(), caller }
    }

    pub(crate) fn results(&self) -> ResultsJob<'_, MemoryKv> {
        self.results_for(ADMIN)
    }

    /// A query by the holder of this token.
    pub(crate) fn results_for(&self, token: &str) -> ResultsJob<'_, MemoryKv> {
        let (project, caller) = (self.project.clone(), self.who(token));
        ResultsJob { kv: &self.kv, now: self.now(), project, caller, hold: hold_nothing }
    }

    /// The admin's call to the tokens of a project; without a project, to those of the account.
    pub(crate) fn tokens(&self, project: Option<&str>) -> TokenJob<'_, MemoryKv, Self> {
        TokenJob {
            kv: &self.kv,
            services: self,
            now: self.now(),
            event: EventId::from_bits(self.bits()),
            project: project.map(|project| project.parse().unwrap()),
            caller: self.who(ADMIN),
        }
    }

    /// Issues a token; it is made of its name, that of its project, and nothing else.
    pub(crate) fn issue(&self, project: Option<&str>, wanted: TokenBody) -> Result<TokenItem, Problem> {
        let secret = format!("gate_{}_{}", wanted.name, project.unwrap_or("account"));
        block_on(self.tokens(project).issue(wanted, secret))
    }

    pub(crate) fn token(&self, name: &str, role: &str) -> String {
        self.issue(Some(self.project.as_str()), token_body(name, role)).unwrap().token.unwrap()
    }

    /// A token of another project, which is made for it.
    pub(crate) fn token_of(&self, project: &str, name: &str, role: &str) -> String {
        let context = api::project_context::ProjectContext { project: project.parse().unwrap(), ..self.calls() };
        let job = ProjectJob { context, caller: self.who(ADMIN) };
        block_on(job.put_project(SettingsBody::default(), false, None)).unwrap();
        self.issue(Some(project), token_body(name, role)).unwrap().token.unwrap()
    }

    /// Makes an upload as another system of the same history would: only its own random bits and time differ.
    pub(crate) fn upload(&self, wanted: Upload) -> Result<ScanAnswer, Problem> {
        let mut context = self.context();
        if wanted.key.is_some() {
            // What an undisturbed run had, so that its answer can be compared whole.
            self.clock.set(START_MS + 60_000);
            context.now = self.now();
        }
        block_on(self.upload_with(&context, wanted))
    }

    pub(crate) async fn upload_with(
        &self,
        context: &Ingest<'_, MemoryKv, Self>,
        wanted: Upload,
    ) -> Result<ScanAnswer, Problem> {
        Ok(self.uploaded_with(context, wanted).await?.answer)
    }

    /// Makes an upload now, whatever its key; says whether its answer is repeated.
    pub(crate) fn uploaded(&self, wanted: Upload) -> Result<Uploaded, Problem> {
        block_on(self.uploaded_with(&self.context(), wanted))
    }

    async fn uploaded_with(
        &self,
        context: &Ingest<'_, MemoryKv, Self>,
        mut wanted: Upload,
    ) -> Result<Uploaded, Problem> {
        let mut pieces = Pieces::of(&mut wanted, context.kv);
        let token = wanted.token.as_deref().unwrap_or(ADMIN);
        let project = wanted.project.as_deref().unwrap_or(self.project.as_str());
        let who = self.allowed(context.kv, token, project, calls::ingest::IngestCall::Upload).await?;
        let query = &mut api::query::Query::parse(&wanted.query)?;
        let upload = UploadRequest::from_query(project.parse().unwrap(), query, wanted.key)?;
        let ingest = Ingest { random: self.bits(), storage_key: context.storage_key.clone(), ..*context };
        ingest.upload(&who, upload, &mut pieces).await
    }

    /// Accepts a scan as the reference of the next ones.
    pub(crate) fn accept(&self, scan: ScanId, token: &str) -> Result<AcceptedAnswer, Problem> {
        block_on(async {
            let who = self.allowed(&self.kv, token, "shop", calls::ingest::IngestCall::Accept).await?;
            let body = AcceptBody { comment: "known".to_owned() };
            let ingest = Ingest { random: self.bits(), ..self.context() };
            ingest.accept(&who, &self.project, scan, body).await
        })
    }

    /// Replays a scan as the admin, without a storage key.
    pub(crate) fn replay(&self, scan: ScanId, versions: Versions) -> Result<ReplayAnswer, Problem> {
        self.replay_with(scan, versions, ADMIN, "")
    }

    pub(crate) fn replay_with(
        &self,
        scan: ScanId,
        versions: Versions,
        token: &str,
        storage_key: &str,
    ) -> Result<ReplayAnswer, Problem> {
        block_on(self.replay_in("shop", scan, versions, token, storage_key))
    }

    pub(crate) async fn replay_in(
        &self,
        project: &str,
        scan: ScanId,
        versions: Versions,
        token: &str,
        storage_key: &str,
    ) -> Result<ReplayAnswer, Problem> {
        let who = self.allowed(&self.kv, token, project, calls::ingest::IngestCall::Replay).await?;
        let replay = ReplayRequest { project: project.parse().unwrap(), scan, versions };
        // The same time in every run, so that answers can be compared whole.
        let now = Timestamp::from_ms(START_MS + 3_600_000);
        let ingest = Ingest { now, storage_key: storage_key.to_owned(), ..self.context() };
        ingest.replay(&who, replay, hold_nothing).await
    }

    pub(crate) fn set_baseline(&self, variant: &str) {
        self.patch(&serde_json::json!({"variant": variant}));
    }

    /// Sets the target's own baseline, or with `null` removes it.
    pub(crate) fn patch(&self, baseline: &serde_json::Value) -> TargetItem {
        block_on(self.patching(baseline))
    }

    /// Sets the target's own baseline with a token.
    pub(crate) fn patch_as(&self, token: &str, baseline: &serde_json::Value) -> Result<TargetItem, Problem> {
        let patch: TargetPatch = serde_json::from_value(serde_json::json!({"baseline": baseline})).unwrap();
        block_on(self.project_job(self.who(token)).set_baseline("notes", patch, None))
    }

    /// The same for use beside other calls.
    pub(crate) async fn patching_as(&self, token: &str, baseline: &serde_json::Value) -> Result<TargetItem, Problem> {
        let patch: TargetPatch = serde_json::from_value(serde_json::json!({"baseline": baseline})).unwrap();
        let admin = format!("Bearer {token}");
        let caller = authenticate(&self.kv, ADMIN, Some(&admin), None, self.now()).await.unwrap();
        self.project_job(caller).set_baseline("notes", patch, None).await
    }

    /// The same for use beside an upload.
    pub(crate) async fn patching(&self, baseline: &serde_json::Value) -> TargetItem {
        let patch: TargetPatch = serde_json::from_value(serde_json::json!({"baseline": baseline})).unwrap();
        let admin = format!("Bearer {ADMIN}");
        let caller = authenticate(&self.kv, ADMIN, Some(&admin), None, self.now()).await.unwrap();
        self.project_job(caller).set_baseline("notes", patch, None).await.unwrap()
    }

    pub(crate) fn target(&self) -> TargetItem {
        block_on(self.project_job(self.who(ADMIN)).target("notes")).unwrap()
    }

    pub(crate) fn variants(&self, regex: Option<&str>, limit: usize) -> Vec<VariantItem> {
        let (mut from, mut items) = (None, Vec::new());
        loop {
            let regex = regex.map(|regex| regex.parse().unwrap());
            let wanted = Wanted { limit, from };
            let page = block_on(self.project_job(self.who(ADMIN)).variants("notes", regex, wanted)).unwrap();
            items.extend(page.items);
            let Some(cursor) = page.next else { return items };
            let mut query = api::query::Query::parse(&format!("cursor={cursor}")).unwrap();
            from = api::page::wanted(&mut query, "variants").unwrap().from;
        }
    }

    /// Lets others get on so many times.
    pub(crate) async fn pauses(&self, count: usize) {
        for _ in 0..count {
            self.kv.pause().await;
        }
    }

    pub(crate) fn answer(&self, scan: ScanId) -> ScanAnswer {
        block_on(self.results().scan(scan)).unwrap()
    }

    pub(crate) fn issues(&self, scan: ScanId, severity: &str) -> Vec<IssueItem> {
        let filter = IssueFilter { severity: Some(severity.parse().unwrap()), ..IssueFilter::default() };
        self.filtered(scan, &filter)
    }

    pub(crate) fn all_issues(&self, scan: ScanId) -> Vec<IssueItem> {
        self.filtered(scan, &IssueFilter::default())
    }

    pub(crate) fn filtered(&self, scan: ScanId, filter: &IssueFilter) -> Vec<IssueItem> {
        let wanted = Wanted { limit: 500, from: None };
        block_on(self.results().issues(scan, filter, Sort::default(), wanted)).unwrap().items
    }

    /// The first occurrences of an issue.
    pub(crate) fn occurrences(&self, scan: ScanId, issue: &IssueItem) -> Vec<OccurrenceItem> {
        let wanted = Wanted { limit: 500, from: None };
        block_on(self.results().occurrences(scan, Some(issue.id), None, wanted)).unwrap().items
    }

    /// All occurrences of a scan, page by page.
    pub(crate) fn all_occurrences(&self, scan: ScanId) -> Vec<OccurrenceItem> {
        self.occurrences_in(scan, None)
    }

    /// Those in one bucket.
    pub(crate) fn occurrences_in(&self, scan: ScanId, bucket: Option<Bucket>) -> Vec<OccurrenceItem> {
        let mut all = Vec::new();
        loop {
            let from = Some(u32::try_from(all.len()).unwrap());
            let wanted = Wanted { limit: 500, from };
            let page = block_on(self.results().occurrences(scan, None, bucket, wanted)).unwrap();
            all.extend(page.items);
            if page.next.is_none() {
                return all;
            }
        }
    }

    pub(crate) fn explain(&self, scan: ScanId, occurrence: OccurrenceId) -> Result<Explanation, Problem> {
        block_on(self.results().explain(scan, occurrence))
    }

    /// The project at a glance, as the holder of this token sees it.
    pub(crate) fn overview_for(&self, token: &str, days: u32) -> Overview {
        block_on(self.results_for(token).overview(days)).unwrap()
    }

    pub(crate) fn overview(&self, days: u32) -> Overview {
        self.overview_for(ADMIN, days)
    }

    /// The run of a pipeline, as the holder of this token sees it.
    pub(crate) fn execution_for(&self, token: &str, pipeline: &str, execution: &str) -> Result<Execution, Problem> {
        let run = Run { pipeline: pipeline.parse().unwrap(), execution: execution.parse().unwrap() };
        block_on(self.results_for(token).execution(&run))
    }

    pub(crate) fn scans(&self, variant: &str) -> usize {
        let filter = results::scans::ScanFilter { variant: Some(variant.parse().unwrap()), ..Default::default() };
        let wanted = Wanted { limit: 500, from: None };
        block_on(self.results().scans(&filter, wanted)).unwrap().items.len()
    }

    /// A call to the project's exemptions.
    fn exemption_job(&self, caller: api::auth::Identity) -> ExemptionJob<'_, MemoryKv, Self> {
        ExemptionJob { context: self.calls(), caller }
    }

    pub(crate) fn person(&self, name: &str) -> api::auth::Identity {
        let mut who = self.who(ADMIN);
        who.actor.subject = name.parse().unwrap();
        who
    }

    /// A request for an exemption of an issue in the target.
    pub(crate) fn exemption_of(&self, issue: IssueId) -> ExemptionBody {
        ExemptionBody {
            issue: issue.to_string(),
            scope: "target".to_owned(),
            target: Some("notes".to_owned()),
            duration_days: Some(7),
            reason: "acceptable_risk".to_owned(),
            text: "not reachable".to_owned(),
            ..ExemptionBody::default()
        }
    }

    pub(crate) fn ask(&self, body: ExemptionBody, who: &str) -> Result<ExemptionItem, Problem> {
        block_on(self.exemption_job(self.person(who)).request(body))
    }

    pub(crate) fn ask_many(&self, requests: Vec<ExemptionBody>, who: &str) -> Result<Vec<ExemptionItem>, Problem> {
        let body = RequestsBody { requests };
        block_on(self.exemption_job(self.person(who)).request_many(body))
    }

    pub(crate) fn request_exemption(&self, issue: &IssueItem) -> String {
        self.ask(self.exemption_of(issue.id), "dev").unwrap().id
    }

    pub(crate) fn decide(&self, id: &str, verb: &str, who: &str) -> Result<(), Problem> {
        self.decide_with(id, verb, who, DecisionBody::default()).map(drop)
    }

    pub(crate) fn decide_with(
        &self,
        id: &str,
        verb: &str,
        who: &str,
        body: DecisionBody,
    ) -> Result<ExemptionItem, Problem> {
        block_on(self.deciding(id, verb, who, body))
    }

    pub(crate) fn deciding(
        &self,
        id: &str,
        verb: &str,
        who: &str,
        body: DecisionBody,
    ) -> impl Future<Output = Result<ExemptionItem, Problem>> {
        let (id, decision) = (id.parse().unwrap(), verb.parse().unwrap());
        let job = self.exemption_job(self.person(who));
        async move { job.decide(id, decision, body).await }
    }

    pub(crate) fn decide_many(&self, decisions: Vec<BulkDecision>, who: &str) -> Result<Vec<ExemptionItem>, Problem> {
        let body = DecisionsBody { decisions };
        block_on(self.exemption_job(self.person(who)).decide_many(body))
    }

    pub(crate) fn exemptions(&self, filter: &exemptions::list::ExemptionFilter) -> Vec<ExemptionItem> {
        let wanted = Wanted { limit: 500, from: None };
        block_on(self.exemption_job(self.person("dev")).list(filter, wanted)).unwrap().items
    }

    /// Whoever holds a token that is issued so.
    pub(crate) fn issued(&self, wanted: TokenBody) -> api::auth::Identity {
        let secret = format!("gate_{}_issued", wanted.name);
        let item = block_on(self.tokens(Some("shop")).issue(wanted, secret)).unwrap();
        self.who(&item.token.unwrap())
    }

    pub(crate) fn exemptions_seen_by(&self, who: &api::auth::Identity) -> Vec<ExemptionItem> {
        let wanted = Wanted { limit: 500, from: None };
        block_on(self.exemption_job(who.clone()).list(&Default::default(), wanted)).unwrap().items
    }

    pub(crate) fn ask_as(&self, who: &api::auth::Identity, body: ExemptionBody) -> Result<ExemptionItem, Problem> {
        block_on(self.exemption_job(who.clone()).request(body))
    }

    pub(crate) fn decide_as(&self, who: &api::auth::Identity, id: &str, verb: &str) -> Result<ExemptionItem, Problem> {
        let (id, decision) = (id.parse().unwrap(), verb.parse().unwrap());
        block_on(self.exemption_job(who.clone()).decide(id, decision, DecisionBody::default()))
    }

    pub(crate) fn preview(&self, id: &str, query: &PreviewQuery) -> Result<Vec<PreviewItem>, Problem> {
        let wanted = Wanted { limit: 500, from: None };
        let job = self.exemption_job(self.person("sec"));
        Ok(block_on(job.preview(id.parse().unwrap(), query, wanted, hold_nothing))?.items)
    }

    pub(crate) fn unused(&self, scans: usize) -> Vec<Unused> {
        let wanted = Wanted { limit: 500, from: None };
        block_on(self.exemption_job(self.person("sec")).unused(scans, wanted)).unwrap().items
    }
}
