//! Every way to fail, at every call, and whether the tool still arrives.

mod tally;

use std::fmt;

use anyhow::{Context as _, Result, ensure};
use config::deployment::WebAcl;
use provision::plan::Goal;

use crate::Cloud;
use crate::call::Call;
use crate::census::{Census, census};
use crate::faults::{Fault, Faults};
use crate::runs::Runs;

pub use tally::{Tally, cases, clock, seeds};

/// What is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The first deploy to an empty account.
    Deploy,
    /// A deploy of another image.
    Redeploy,
    /// A change of several settings.
    Change,
    /// The way back to the first image, after a second one.
    Rollback,
    /// The removal of everything.
    Destroy,
    /// A living stack gets all that is off by default.
    Harden,
    /// And loses it again.
    Soften,
}

impl Scene {
    /// Those that follow each other in the life of an account.
    pub const ALL: [Self; 5] = [Self::Deploy, Self::Redeploy, Self::Change, Self::Rollback, Self::Destroy];
    /// Those beside it.
    pub const OPTIONS: [Self; 2] = [Self::Harden, Self::Soften];

    fn goal(self) -> Goal {
        match self {
            Self::Destroy => Goal::Absent { delete_data: true },
            _ => Goal::Present,
        }
    }

    /// An account at the moment before the scene, and what should happen in it.
    async fn set(self) -> Result<Runs> {
        let mut runs = Runs::on(Cloud::default()).await?;
        if self == Self::Soften {
            everything(&mut runs);
        }
        if self != Self::Deploy {
            runs.deploy().await.context("setting the scene")?;
        }
        if self == Self::Rollback {
            Self::Redeploy.next(&mut runs).await?;
            runs.deploy().await.context("setting the scene")?;
        }
        self.next(&mut runs).await?;
        Ok(runs)
    }

    /// What is wanted next, in an account as the scenes before leave it.
    async fn next(self, runs: &mut Runs) -> Result<()> {
        if self != Self::Deploy {
            runs.set_key(KEY, VALUE).await.context("setting the scene")?;
        }
        match self {
            Self::Redeploy => runs.new_image("the second program")?,
            Self::Change => {
                runs.deployment.logs.retention_days = 90;
                runs.deployment.scaling.max = 6;
                runs.deployment.edge.idle_timeout_seconds = 120;
                runs.deployment.service.health_check_grace_seconds = 90;
            }
            Self::Harden => everything(runs),
            Self::Soften => {
                soften(runs);
                runs.answer_to_no_name().await?;
            }
            Self::Deploy | Self::Rollback | Self::Destroy => (),
        }
        Ok(())
    }

    /// One run to the scene's end.
    async fn run(self, runs: &Runs) -> Result<()> {
        if self == Self::Rollback {
            return runs.roll_back(1).await;
        }
        let report = runs.run(self.goal()).await?;
        ensure!(report.outcome.is_complete(), "{}", report.failures().join("; "));
        Ok(())
    }
}

/// One of the API keys, and a value that must never be seen again, whatever goes wrong.
const KEY: &str = "WXTECH_API_KEY";
const VALUE: &str = "a-value-that-nobody-may-see";

/// A key of somebody's own.
pub const OWN_KEY: &str = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// A bucket into which load balancers may write.
pub const BUCKET: &str = "logs-of-the-company";
/// A firewall of somebody's.
pub const WEB_ACL: &str =
    "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/of-the-company/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// Everything that is off by default because it costs money.
pub fn harden(runs: &mut Runs) {
    runs.cloud.world(|world| {
        world.firewalls.web_acls.insert(WEB_ACL.to_owned());
        world.keys.add(OWN_KEY, &["logs", "cloudwatch"]);
        world.log_buckets.insert(BUCKET.to_owned());
    });
    let deployment = &mut runs.deployment;
    deployment.network.nat_gateways = 1;
    deployment.network.endpoints = true;
    deployment.network.flow_logs = true;
    deployment.edge.access_logs_bucket = Some(BUCKET.to_owned());
    deployment.edge.web_acl = Some(WebAcl::Arn(WEB_ACL.to_owned()));
    deployment.service.exec = true;
    deployment.service.container_insights = true;
    deployment.encryption.kms_key_arn = Some(OWN_KEY.to_owned());
    // What holds data has been made without it.
    deployment.encryption.disk_and_images = false;
}

/// And a name, too, which is off by default because nobody can guess it.
fn everything(runs: &mut Runs) {
    harden(runs);
    runs.answer_to_a_name();
}

/// What costs money off again.
fn soften(runs: &mut Runs) {
    let deployment = &mut runs.deployment;
    deployment.network.nat_gateways = 0;
    deployment.network.endpoints = false;
    deployment.network.flow_logs = false;
    deployment.edge.access_logs_bucket = None;
    deployment.edge.web_acl = Some(WebAcl::None);
    deployment.service.exec = false;
    deployment.service.container_insights = false;
    deployment.encryption.kms_key_arn = None;
}

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Where.
    pub scene: Scene,
    /// At which call of the scene, from 1.
    pub call: u64,
    /// How.
    pub fault: Fault,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, call {}, {:?}", self.scene, self.call, self.fault)
    }
}

/// A scene without disturbance: which calls it takes, and what is there at its end.
#[derive(Clone, Debug)]
pub struct Undisturbed {
    /// The scene.
    pub scene: Scene,
    /// Its calls.
    pub calls: Vec<Call>,
    /// What is there at its end.
    pub census: Census,
    /// The task definition that runs at its end.
    pub runs: Option<String>,
}

impl Undisturbed {
    /// Every way in which each call can go wrong; one fault after the other, so that steps through them meet all kinds.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        let scene = self.scene;
        let numbered = (1..).zip(&self.calls);
        numbered.flat_map(move |(number, call)| {
            let fits = Fault::ALL.into_iter().filter(|fault| fault.fits(call));
            fits.map(move |fault| Case { scene, call: number, fault })
        })
    }
}

/// Plays a scene without disturbance.
///
/// # Errors
/// When it does not arrive even so.
pub async fn undisturbed(scene: Scene) -> Result<Undisturbed> {
    let runs = scene.set().await?;
    let before = runs.cloud.calls().len();
    scene.run(&runs).await?;
    let calls = runs.cloud.calls().split_off(before);
    Ok(Undisturbed { scene, calls, census: settled(&runs).await?, runs: runs.task_definition() })
}

/// Plays a scene with one disturbance, runs again if the first run did not arrive, and compares the ends.
///
/// # Errors
/// Says in what the end differs from that of the undisturbed scene.
pub async fn play(case: Case, undisturbed: &Undisturbed) -> Result<()> {
    fastrand::seed(case.call);
    let runs = case.scene.set().await?;
    let first = u64::try_from(runs.cloud.calls().len())?;
    runs.cloud.set_faults(Faults::at(first + case.call, case.fault));
    let failures = arrive(&runs, case.scene).await?;
    if let Some(failure) = failures.first().filter(|_| case.fault.ends_the_run()) {
        ensure!(failure.contains("then run again"), "it stopped without saying what to do: {failure}");
    }
    same_end(&runs, undisturbed).await
}

/// The life of an account: every scene, one after the other.
#[derive(Clone, Debug)]
pub struct Life {
    scenes: Vec<Undisturbed>,
}

/// How many seeds are played where nobody says how many.
pub const SEEDS: u64 = 2_000;

/// How many seeds share an account: each has one scene of its life.
pub const SEEDS_A_LIFE: u64 = Scene::ALL.len() as u64;

/// What became of a life in which many calls went wrong.
#[derive(Debug)]
pub struct Lived {
    /// How many seeds were played; a life ends with the first that is lost.
    pub tried: u64,
    /// The seed that was lost, and why.
    pub lost: Option<(u64, anyhow::Error)>,
    /// Every call.
    pub calls: Vec<Call>,
}

impl Life {
    /// Plays a life without disturbance.
    ///
    /// # Errors
    /// When it does not go on even so.
    pub async fn undisturbed() -> Result<Self> {
        let mut runs = Runs::on(Cloud::default()).await?;
        let mut scenes = Vec::new();
        for scene in Scene::ALL {
            scene.next(&mut runs).await?;
            let before = runs.cloud.calls().len();
            scene.run(&runs).await.with_context(|| format!("an undisturbed {scene:?}"))?;
            let calls = runs.cloud.calls().split_off(before);
            scenes.push(Undisturbed { scene, calls, census: settled(&runs).await?, runs: runs.task_definition() });
        }
        Ok(Self { scenes })
    }

    /// Plays the lives to which some seeds belong; in each scene many calls go wrong, as its seed decides.
    ///
    /// # Errors
    /// When the account cannot be made.
    pub async fn play(&self, seeds: std::ops::RangeInclusive<u64>) -> Result<Lived> {
        // The SDK's pauses between its own attempts are by chance, too; it asks this thread's.
        fastrand::seed(*seeds.start());
        let mut runs = Runs::on(Cloud::default()).await?;
        let mut lived = Lived { tried: 0, lost: None, calls: Vec::new() };
        for (seed, undisturbed) in seeds.zip(&self.scenes) {
            lived.tried += 1;
            if let Err(error) = play_seed(&mut runs, seed, undisturbed).await {
                lived.lost = Some((seed, error.context(format!("{:?}", undisturbed.scene))));
                break;
            }
        }
        lived.calls = runs.cloud.calls();
        Ok(lived)
    }
}

async fn play_seed(runs: &mut Runs, seed: u64, undisturbed: &Undisturbed) -> Result<()> {
    runs.seed = seed;
    undisturbed.scene.next(runs).await?;
    let first = u64::try_from(runs.cloud.calls().len())?;
    let calls = u64::try_from(undisturbed.calls.len())?;
    runs.cloud.set_faults(Faults::random(seed, first + 1..first + 2 * calls));
    arrive(runs, undisturbed.scene).await?;
    same_end(runs, undisturbed).await
}

/// Runs until a run is complete, and gives what the others ended with; a person would not try more than a few times
/// either.
async fn arrive(runs: &Runs, scene: Scene) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    for _ in 0..TRIES {
        let killed = runs.cloud.killed();
        tokio::select! {
            biased;
            () = killed => failures.push("killed".to_owned()),
            end = scene.run(runs) => match end {
                Ok(()) => return Ok(failures),
                Err(error) => failures.push(format!("{error:#}")),
            },
        }
        runs.hear(&failures.concat());
        // Nobody gives a command again within the same second.
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    }
    anyhow::bail!("did not arrive in {TRIES} runs:\n{}", failures.join("\n"))
}

const TRIES: usize = 12;

async fn same_end(runs: &Runs, undisturbed: &Undisturbed) -> Result<()> {
    runs.cloud.set_faults(Faults::default());
    // After a way back, the next deploy would bring the second image again.
    if undisturbed.scene == Scene::Rollback {
        let task = runs.task_definition();
        ensure!(task == undisturbed.runs, "{task:?} runs instead of {:?}", undisturbed.runs);
    } else {
        let plan = runs.plan(undisturbed.scene.goal()).await?;
        ensure!(plan.is_empty(), "there is still something to do:\n{plan}");
    }
    ensure!(!runs.ever_said(VALUE), "the value of a key was told");
    let holder = runs.holder().await?;
    ensure!(holder.is_none(), "the lock is still held by {}", holder.map(|it| it.to_string()).unwrap_or_default());
    let census = settled(runs).await?;
    let differs = |kind: &&&str| census.get(**kind) != undisturbed.census.get(**kind);
    let different: Vec<_> = undisturbed.census.keys().filter(|kind| differs(kind)).collect();
    ensure!(different.is_empty(), "{different:?} differ: {census:?} instead of {:?}", undisturbed.census);
    Ok(())
}

/// Counts when everything that is on its way out is gone.
async fn settled(runs: &Runs) -> Result<Census> {
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    // The first call makes the account see the new time.
    census(&runs.cloud).await?;
    census(&runs.cloud).await
}
