//! What every verb starts from: the configuration, the clients, and the image that is meant.

use std::time::Duration;

use crate::aws::{Aws, AwsError, Owner, Pace};
use crate::context::Look;
use crate::guard::Access;
use crate::names::Names;
use crate::our_stack::OurStack;
use crate::plan::Goal;
use crate::record::Record;
use crate::resources::image::{ImageSource, RunningService};
use crate::run::{self, Planned};
use crate::transcript::Transcript;
use anyhow::Result;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use config::deployment::{ConfigSource, Deployment, Override};

use tokio::sync::{OnceCell, watch};

use super::Surroundings;
use super::arguments::{Common, ImageArguments};
use super::exit::{BadInput, Refused};
use super::github::Workflow;
use super::plugin::SessionPlugin;
use super::voice::Voice;

/// The surroundings of one run.
pub(crate) struct Session<'a> {
    pub(crate) deployment: Deployment,
    pub(crate) terminal: &'a Voice<'a>,
    workflow: Option<&'a Workflow>,
    pub(crate) seed: u64,
    interrupted: watch::Receiver<bool>,
    at_work: &'a watch::Sender<bool>,
    pub(crate) plugin: &'a dyn SessionPlugin,
    given_sdk: Option<&'a SdkConfig>,
    front: Option<&'a SharedHttpConnector>,
    transcript: Option<&'a Transcript>,
    sdk: OnceCell<SdkConfig>,
    who: OnceCell<String>,
    reader: std::sync::OnceLock<Aws>,
}

impl<'a> Session<'a> {
    /// Reads the configuration; AWS is not asked yet.
    pub(crate) fn load(common: &Common, surroundings: &'a Surroundings, terminal: &'a Voice<'a>) -> Result<Self> {
        let source = match &common.config {
            Some(file) => ConfigSource::File(file.clone()),
            None => ConfigSource::Environment(common.environment.clone()),
        };
        let overrides = common.overrides.iter().map(|text| text.parse()).collect::<Result<Vec<Override>, _>>()?;
        Ok(Self {
            deployment: Deployment::load(&source, &overrides)?,
            terminal,
            workflow: surroundings.workflow.as_ref(),
            seed: surroundings.seed,
            interrupted: surroundings.interrupted.clone(),
            at_work: &surroundings.at_work,
            plugin: surroundings.plugin.as_ref(),
            given_sdk: surroundings.sdk.as_ref(),
            front: surroundings.front.as_ref(),
            transcript: surroundings.transcript.as_ref(),
            sdk: OnceCell::new(),
            who: OnceCell::new(),
            reader: std::sync::OnceLock::new(),
        })
    }

    /// Begins what an interruption lets come to its end; what is given becomes true when there is one.
    pub(crate) fn begin_work(&self) -> watch::Receiver<bool> {
        self.at_work.send_replace(true);
        self.interrupted.clone()
    }

    /// The clients for reading, which all know who the caller is as soon as one has asked.
    pub(crate) fn reader(&self) -> Aws {
        self.reader.get_or_init(|| self.aws(Access::ReadOnly)).clone()
    }

    /// The clients; [`Self::check_account`] comes first.
    pub(crate) fn aws(&self, access: Access) -> Aws {
        let owner = Owner { app: self.deployment.app.clone(), environment: self.deployment.environment.clone() };
        let sdk = self.given_sdk.or_else(|| self.sdk.get()).expect("the account was checked before");
        let mut aws = Aws::recorded(sdk, owner, access, self.transcript);
        aws.pace = pace(sdk.endpoint_url());
        aws
    }

    /// How to reach what was deployed, if not over the network.
    pub(super) fn front(&self) -> Option<&SharedHttpConnector> {
        self.front
    }

    /// Finds out how to sign in; AWS is not asked yet.
    async fn find_credentials(&self) {
        if self.given_sdk.is_none() {
            self.sdk.get_or_init(|| sdk(&self.deployment.region)).await;
        }
    }

    /// Plans while the account is being checked: a plan only reads, and time counts.
    pub(crate) async fn prepare(&self, ours: &OurStack, goal: Goal, look: Look) -> Result<Planned> {
        self.find_credentials().await;
        let (record, aws) = (self.record(), self.reader());
        let (checked, planned) = tokio::join!(self.check_account(), run::prepare(ours, &record, &aws, goal, look));
        // What is wrong with the account explains what else went wrong.
        checked?;
        planned
    }

    /// One call that tells all the usual ways to have no account apart, before any work begins.
    pub(crate) async fn check_account(&self) -> Result<()> {
        self.find_credentials().await;
        let identity = self.reader().caller().await.map_err(|error| {
            // The error itself says what to do, and signing in would not help.
            if error.downcast_ref().is_some_and(AwsError::is_of_another_time) {
                return BadInput(format!("asking AWS who we are failed: {error:#}"));
            }
            BadInput(format!(
                "asking AWS who we are failed; sign in (`aws sso login`), set AWS_PROFILE, or give credentials in the \
                 environment: {error:#}"
            ))
        })?;
        self.who.get_or_init(|| async { caller(&identity.arn) }).await;
        let account = identity.account.as_str();
        match &self.deployment.account {
            Some(expected) if expected != account => Err(Refused(format!(
                "these credentials belong to account {account}, but environment {} is for account {expected}; \
                 choose another AWS_PROFILE",
                self.deployment.environment
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// Who runs this, for those who find the lock or read the history; known once the account was checked.
    pub(crate) fn who(&self) -> String {
        let who = self.who.get().map_or("somebody", String::as_str);
        self.workflow.map_or_else(|| who.to_owned(), |workflow| workflow.behind(who))
    }

    /// Adds to what GitHub shows of this step.
    pub(crate) fn summarise(&self, markdown: &str) {
        if let Some(Err(error)) = self.workflow.map(|workflow| workflow.summarise(markdown)) {
            self.terminal.say(format_args!("note: the step's summary could not be written: {error}"));
        }
    }

    /// What the account remembers of runs.
    pub(crate) fn record(&self) -> Record {
        Record::of(&Names::of(&self.deployment))
    }

    /// Finds the image that is meant: the given one, or the one that runs now.
    pub(crate) fn image(&self, arguments: &ImageArguments) -> Result<ImageSource> {
        if let Some(folder) = &arguments.image_layout {
            return ImageSource::layout(folder).map_err(|error| BadInput(format!("{error:#}")).into());
        }
        let names = Names::of(&self.deployment);
        if let Some(reference) = &arguments.image {
            let source = ImageSource::reference(reference, &names.repository(), &self.deployment.region);
            return source.map_err(|error| BadInput(format!("{error:#}")).into());
        }
        let running =
            RunningService { cluster: names.cluster(), service: names.service(), family: names.task_family() };
        Ok(ImageSource::Running(running))
    }

    /// Refuses a deployment without a certificate before anything else is asked or done.
    pub(crate) fn needs_certificate(&self) -> Result<()> {
        if self.deployment.edge.certificate_arn.is_some() || self.deployment.edge.domain.is_some() {
            return Ok(());
        }
        Err(BadInput(format!(
            "environment {} has no certificate for HTTPS; set `edge.certificate_arn` in its file, or pass \
             --set edge.certificate_arn=arn:aws:acm:{}:…, or set `edge.domain` and `edge.hosted_zone`, and it is requested",
            self.deployment.environment, self.deployment.region
        ))
        .into())
    }

    /// The stack as it should be.
    pub(crate) fn stack(&self, image: ImageSource) -> OurStack {
        OurStack::new(&self.deployment, image)
    }

    /// The stack for looking and removing, where neither image nor certificate matters.
    pub(crate) fn stack_to_find(&self) -> OurStack {
        OurStack::new(&self.deployment, ImageSource::Unknown)
    }
}

/// The last part of the caller's ARN, as `assumed-role/Admin/alice`.
fn caller(arn: &str) -> String {
    arn.splitn(6, ':').last().unwrap_or_default().to_owned()
}

/// An endpoint on this machine is a stand-in for AWS, which is done when it answers.
fn pace(endpoint: Option<&str>) -> Pace {
    let local = ["http://127.0.0.1:", "http://localhost:"];
    if endpoint.is_some_and(|url| local.iter().any(|prefix| url.starts_with(prefix))) {
        Pace::StandIn
    } else {
        Pace::Real
    }
}

async fn sdk(region: &str) -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(30))
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .region(Region::new(region.to_owned()))
        .load()
        .await
}
