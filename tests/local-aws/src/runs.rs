//! Runs of `provision` against the account, as its program does them: look, plan, carry out.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail, ensure};
use config::deployment::{ConfigSource, Deployment, Domain};
use provision::aws::Owner;
use provision::cli::Exit;
use provision::context::{Context, Look};
use provision::event::Event;
use provision::execute::{Options, Outcome};
use provision::guard::Access;
use provision::names::Names;
use provision::our_stack::OurStack;
use provision::plan::{Goal, Plan};
use provision::record::{Holder, Record, Run};
use provision::resources::image::ImageSource;
use provision::run::{Planned, Work, carry_out, prepare};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

use crate::commands::piped;
use crate::{Cloud, lock};

/// A name for the service, in the hosted zone [`ZONE`] of `example.com`.
pub const NAME: &str = "forecast.example.com";
/// The identifier of that zone.
pub const ZONE: &str = "Z0123456789";

/// A deployment of the real stack to a simulated account.
#[derive(Debug)]
pub struct Runs {
    /// The account.
    pub cloud: Cloud,
    /// What should be there.
    pub deployment: Deployment,
    /// What should run.
    pub image: ImageSource,
    /// Shifts the pauses between attempts.
    pub seed: u64,
    /// Who runs, as the lock and the history say.
    pub who: String,
    /// How closely plans look.
    pub look: Look,
    /// Everything that the runs said.
    told: Arc<Mutex<String>>,
    _folder: TempDir,
}

/// What came of a run, with its story.
#[derive(Debug)]
pub struct Report {
    /// What was to be done.
    pub plan: Plan,
    /// What was done.
    pub outcome: Outcome,
    /// What was told meanwhile.
    pub events: Vec<Event>,
}

impl Report {
    /// Every failure with its causes.
    pub fn failures(&self) -> Vec<String> {
        self.outcome.failed.values().map(|error| format!("{error:#}")).collect()
    }
}

impl Runs {
    /// An account with nothing but a certificate, a deployment for it, and an image to run.
    ///
    /// # Errors
    /// When the configuration of the environment `staging` cannot be loaded.
    pub async fn on(cloud: Cloud) -> Result<Self> {
        let mut deployment = Deployment::load(&ConfigSource::Environment("staging".to_owned()), &[])?;
        deployment.edge.certificate_arn = Some(certificate(&cloud).await?);
        let folder = TempDir::new()?;
        let image = image_layout(folder.path(), "the first program")?;
        Ok(Self {
            cloud,
            deployment,
            image,
            seed: 1,
            who: "somebody".to_owned(),
            look: Look::Afresh,
            told: Arc::default(),
            _folder: folder,
        })
    }

    /// From here on the service should answer to [`NAME`], whose hosted zone is in the account, and no longer with the
    /// certificate that was given.
    pub fn answer_to_a_name(&mut self) {
        self.cloud.world(|world| world.dns.add_zone(ZONE, "example.com", false));
        self.deployment.edge.certificate_arn = None;
        self.deployment.edge.domain = Some(Domain { name: NAME.to_owned(), hosted_zone: "example.com".to_owned() });
    }

    /// And with a certificate that is given, without a name.
    ///
    /// # Errors
    /// When the account does not give one.
    pub async fn answer_to_no_name(&mut self) -> Result<()> {
        self.deployment.edge.certificate_arn = Some(certificate(&self.cloud).await?);
        self.deployment.edge.domain = None;
        Ok(())
    }

    /// Makes another image to deploy.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new_image(&mut self, program: &str) -> Result<()> {
        let folder = TempDir::new()?;
        self.image = image_layout(folder.path(), program)?;
        self._folder = folder;
        Ok(())
    }

    /// The digest of the image to deploy.
    pub fn digest(&self) -> String {
        self.image.to_string()
    }

    /// Whose things these are.
    pub fn owner(&self) -> Owner {
        Owner { app: self.deployment.app.clone(), environment: self.deployment.environment.clone() }
    }

    /// Says what a run would do.
    ///
    /// # Errors
    /// When something cannot be read.
    pub async fn plan(&self, goal: Goal) -> Result<Plan> {
        let plan = self.prepare(goal).await?.plan;
        self.hear(&plan.to_string());
        Ok(plan)
    }

    /// Keeps what a run said.
    pub(crate) fn hear(&self, text: &str) {
        lock(&self.told).push_str(text);
    }

    /// Whether the runs ever said this.
    pub fn ever_said(&self, text: &str) -> bool {
        lock(&self.told).contains(text)
    }

    /// What the account remembers of runs.
    pub fn record(&self) -> Record {
        Record::of(&Names::of(&self.deployment))
    }

    /// Who has the lock.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn holder(&self) -> Result<Option<Holder>> {
        self.record().holder(&Context::silent(self.cloud.aws(self.owner(), Access::ReadOnly))).await
    }

    /// Runs to a goal.
    ///
    /// # Errors
    /// When something cannot be read, or when the plan is blocked.
    pub async fn run(&self, goal: Goal) -> Result<Report> {
        let planned = self.prepare(goal).await?;
        self.carry_out(planned).await
    }

    /// Makes a plan.
    ///
    /// # Errors
    /// When something cannot be read.
    pub async fn prepare(&self, goal: Goal) -> Result<Planned> {
        let ours = OurStack::new(&self.deployment, self.image.clone());
        prepare(&ours, &self.record(), &self.cloud.aws(self.owner(), Access::ReadOnly), goal, self.look).await
    }

    /// Carries a plan out.
    ///
    /// # Errors
    /// When it is blocked, when it is out of date, or when somebody else is at work.
    pub async fn carry_out(&self, planned: Planned) -> Result<Report> {
        let ours = OurStack::new(&self.deployment, self.image.clone());
        let record = self.record();
        if let Some(step) = planned.plan.blocked().next() {
            bail!("{} {} cannot be changed in place", step.kind, step.name);
        }
        if planned.is_done() {
            let outcome = Outcome { outputs: planned.world.outputs(), ..Outcome::default() };
            return Ok(Report { plan: planned.plan, outcome, events: Vec::new() });
        }
        let (events, mut story) = mpsc::unbounded_channel();
        let (_interrupt, interrupted) = watch::channel(false);
        let options = Options { at_once: 12, seed: self.seed, interrupted };
        let aws = self.cloud.aws(self.owner(), Access::ReadWrite);
        let work = Work { ours: &ours, planned: &planned, run: Run::begin("test", &self.who), image: None };
        let tell = Context::silent(aws.clone());
        let outcome = carry_out(work, &record, &aws, &options, &events, &tell).await?;
        drop(events);
        let mut told = Vec::new();
        while let Some(event) = story.recv().await {
            self.hear(&format!("{event:?}"));
            told.push(event);
        }
        Ok(Report { plan: planned.plan, outcome, events: told })
    }

    /// Deploys, and fails when anything did.
    ///
    /// # Errors
    /// What failed first.
    pub async fn deploy(&self) -> Result<Report> {
        let report = self.run(Goal::Present).await?;
        complete(report).context("deploying")
    }

    /// Goes back to a revision, as the command does.
    ///
    /// # Errors
    /// What the command said.
    pub async fn roll_back(&self, revision: i32) -> Result<()> {
        let certificate =
            format!("edge.certificate_arn={}", self.deployment.edge.certificate_arn.as_deref().unwrap_or(""));
        let revision = revision.to_string();
        let words = ["rollback", "--to", &revision, "--yes", "--set", &certificate];
        let said = piped(&self.cloud, &words, "").await;
        self.hear(&said.talk);
        self.hear(&said.results);
        ensure!(said.exit == Exit::Done, "{}", said.talk);
        Ok(())
    }

    /// Gives one of the API keys a value, as the command does.
    ///
    /// # Errors
    /// What the command said.
    pub async fn set_key(&self, key: &str, value: &str) -> Result<()> {
        let said = piped(&self.cloud, &["secrets", "set", key], value).await;
        self.hear(&said.talk);
        self.hear(&said.results);
        ensure!(said.exit == Exit::Done, "{}", said.talk);
        Ok(())
    }

    /// The task definition that runs, if a service does.
    pub fn task_definition(&self) -> Option<String> {
        let name = Names::of(&self.deployment).service();
        self.cloud.world(|world| world.services.get(&name, world.now).map(|it| it.task_definition().to_owned()))
    }

    /// Destroys everything, data too, and fails when anything did.
    ///
    /// # Errors
    /// What failed first.
    pub async fn destroy(&self) -> Result<Report> {
        let report = self.run(Goal::Absent { delete_data: true }).await?;
        complete(report).context("destroying")
    }
}

/// Makes a certificate that is issued.
///
/// # Errors
/// When the account does not give one.
pub async fn certificate(cloud: &Cloud) -> Result<String> {
    let acm = aws_sdk_acm::Client::new(&cloud.sdk_config());
    let requested = acm.request_certificate().domain_name("weather.example.com").send().await?;
    requested.certificate_arn.context("a certificate without an ARN")
}

fn complete(report: Report) -> Result<Report> {
    if report.outcome.is_complete() { Ok(report) } else { bail!(report.failures().join("\n")) }
}

/// Writes an OCI image layout with one layer.
///
/// # Errors
/// When the folder cannot be written.
pub fn image_layout(folder: &Path, program: &str) -> Result<ImageSource> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let write = |bytes: &[u8]| -> Result<String> {
        let hex = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
        fs::write(blobs.join(&hex), bytes)?;
        Ok(format!("sha256:{hex}"))
    };
    let layer = write(program.as_bytes())?;
    let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let config_digest = write(config)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest, "size": config.len()},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer, "size": program.len()}],
    });
    let manifest = manifest.to_string();
    let digest = write(manifest.as_bytes())?;
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": manifest.len()}],
    });
    fs::write(folder.join("index.json"), index.to_string())?;
    ImageSource::layout(folder)
}
