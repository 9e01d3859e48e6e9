//! One environment's file: what is built on AWS, and what the service in it is told.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;

use crate::llm::Llm;
use crate::problems::Problems;
use crate::reader::Reader;
use crate::service::{self, App, Environment, LogFormat};

/// The built-in environments.
const BUILT_IN: [(&str, &str, Environment); 3] = [
    ("local", include_str!("../local.toml"), Environment::Local),
    ("staging", include_str!("../staging.toml"), Environment::Staging),
    ("production", include_str!("../production.toml"), Environment::Production),
];

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub enum ConfigSource {
    /// A built-in environment.
    Environment(String),
    /// A file anywhere.
    File(PathBuf),
}

/// One value given on the command line: `key=value`.
#[derive(Clone, Debug)]
pub struct Override {
    key: String,
    value: String,
}

impl FromStr for Override {
    type Err = Problems;

    fn from_str(text: &str) -> Result<Self, Problems> {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Problems::one(
                "--set",
                "",
                format!("{text:?} has no `=`"),
                "write it as key=value, for example scaling.max=6",
            )
        })?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// Everything that is decided about one environment.
#[derive(Clone, Debug, Serialize)]
pub struct Deployment {
    /// The application; every name on AWS begins with it.
    pub app: String,
    /// The environment; every name goes on with it.
    pub environment: String,
    /// The AWS region.
    pub region: String,
    /// The AWS account that it must be, if it matters.
    pub account: Option<String>,
    /// The network.
    pub network: Network,
    /// What answers on the internet.
    pub edge: Edge,
    /// One task.
    pub task: Task,
    /// How many tasks, and how they are replaced.
    pub service: Service,
    /// When there are more tasks.
    pub scaling: Scaling,
    /// The shared disk.
    pub storage: Storage,
    /// The image repository.
    pub images: Images,
    /// The log.
    pub logs: Logs,
    /// With whose key things are encrypted.
    pub encryption: Encryption,
    /// When somebody is told, if ever.
    pub alarms: Option<Alarms>,
    /// Whether there is a dashboard.
    pub dashboard: bool,
    /// The repository whose workflows may deploy, if any.
    pub github: Option<Github>,
    /// What the service is told.
    pub settings: App,
}

/// The network.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// The block of addresses.
    pub cidr: String,
    /// In how many availability zones.
    pub zones: usize,
    /// How many NAT gateways: none, and tasks have public addresses; or one for all zones, or one in each, and tasks
    /// run in private subnets.
    pub nat_gateways: usize,
    /// Whether every connection in the network is written down.
    pub flow_logs: bool,
    /// Whether private subnets reach AWS by endpoints, and not over the internet.
    pub endpoints: bool,
}

/// What answers on the internet.
#[derive(Clone, Debug, Serialize)]
pub struct Edge {
    /// The certificate for HTTPS, if there is one already.
    pub certificate_arn: Option<String>,
    /// The name to answer to; its certificate is requested, and its record written.
    pub domain: Option<Domain>,
    /// Whether port 80 answers, with a redirect to HTTPS.
    pub redirect_http: bool,
    /// Whether AWS refuses to delete the load balancer; `provision destroy` lifts it.
    pub deletion_protection: bool,
    /// The bucket into which every request is written, if any.
    pub access_logs_bucket: Option<String>,
    /// Who may call.
    pub ingress_cidrs: Vec<String>,
    /// Which TLS versions and ciphers.
    pub ssl_policy: String,
    /// How long a target that goes may finish its requests.
    pub deregistration_delay_seconds: u16,
    /// How often a target is asked whether it is well.
    pub health_check_interval_seconds: u16,
    /// How long a connection may be silent.
    pub idle_timeout_seconds: u16,
}

/// A name on the internet, and who holds its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Domain {
    /// The name, as `weather.example.com`.
    pub name: String,
    /// The hosted zone in Route 53 that it is in, as `example.com`.
    pub hosted_zone: String,
}

/// The processor of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "X86_64")]
    X86_64,
    /// Graviton.
    #[serde(rename = "ARM64")]
    Arm64,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "X86_64",
            Self::Arm64 => "ARM64",
        })
    }
}

/// One task.
#[derive(Clone, Debug, Serialize)]
pub struct Task {
    /// The family of task definitions.
    pub family: String,
    /// CPU units; 1024 are one vCPU.
    pub cpu: i32,
    /// Memory.
    pub memory_mib: i32,
    /// The processor.
    pub architecture: Architecture,
}

/// How many tasks, and how they are replaced.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// How many at the beginning; then scaling decides.
    pub desired_count: i32,
    /// How many must stay healthy while replacing.
    pub minimum_healthy_percent: i32,
    /// How many may run while replacing.
    pub maximum_percent: i32,
    /// How long failing health checks of a new task are ignored.
    pub health_check_grace_seconds: i32,
    /// Whether one may run commands in a running task.
    pub exec: bool,
    /// Whether ECS measures every task, for money.
    pub container_insights: bool,
}

/// When there are more tasks.
#[derive(Clone, Debug, Serialize)]
pub struct Scaling {
    /// At least.
    pub min: i32,
    /// At most.
    pub max: i32,
    /// The average CPU utilisation that is aimed at.
    pub cpu_percent: u8,
    /// The average memory utilisation that is aimed at.
    pub memory_percent: u8,
}

/// The shared disk.
#[derive(Clone, Debug, Serialize)]
pub struct Storage {
    /// After how many days without use a file moves to infrequent access.
    pub transition_to_ia_days: Option<u16>,
}

/// The image repository.
#[derive(Clone, Debug, Serialize)]
pub struct Images {
    /// How many images are kept.
    pub keep: u32,
}

/// The log.
#[derive(Clone, Debug, Serialize)]
pub struct Logs {
    /// For how many days lines are kept.
    pub retention_days: i32,
}

/// With whose key things are encrypted at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encryption {
    /// A key of one's own, if AWS's own ones are not enough.
    pub kms_key_arn: Option<String>,
    /// Whether it is for the disk and the images, too, which must be made with it.
    pub disk_and_images: bool,
}

/// When somebody is told.
#[derive(Clone, Debug, Serialize)]
pub struct Alarms {
    /// Who.
    pub email: Option<String>,
    /// When tasks use more of their CPU than this.
    pub cpu_percent: u8,
    /// When tasks use more of their memory than this.
    pub memory_percent: u8,
    /// When there are more errors of the service than this in five minutes.
    pub errors: u32,
    /// When one request in twenty takes longer than this.
    pub response_seconds: u16,
    /// When less than this share of the comments that were asked for could be made.
    pub success_percent: u8,
}

/// The repository whose workflows may deploy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Github {
    /// `OWNER/NAME`.
    pub repository: String,
    /// The repository's number, which it keeps when it is renamed.
    pub repository_id: u64,
    /// The owner's number.
    pub owner_id: u64,
    /// The environments of the repository whose jobs may deploy.
    pub environments: Vec<String>,
}

impl Deployment {
    /// Loads and checks a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(source: &ConfigSource, overrides: &[Override]) -> Result<Self, Problems> {
        let (file, text) = text_of(source)?;
        let mut reader = Reader::of_toml(&file, &text)?;
        for Override { key, value } in overrides {
            reader.set(key, value);
        }
        let deployment = Self::read(&mut reader);
        reader.finish()?;
        Ok(deployment)
    }

    fn read(reader: &mut Reader) -> Self {
        let app = reader.text("app", |text| name(text, 40));
        let environment = reader.choice("environment", &BUILT_IN.map(|(name, _, kind)| (name, kind)));
        let region = reader.text("region", region);
        let mut deployment = Self {
            task: task(reader, &app),
            app,
            environment: environment_name(environment).to_owned(),
            account: reader.checked("account", account),
            network: Network {
                cidr: reader.text("network.cidr", network),
                zones: reader.number("network.zones", 2..=3),
                nat_gateways: reader.number_or("network.nat_gateways", 0, 0..=3),
                flow_logs: reader.flag_or("network.flow_logs", false),
                endpoints: reader.flag_or("network.endpoints", false),
            },
            edge: edge(reader, &region),
            encryption: encryption(reader, &region),
            region,
            service: Service {
                desired_count: reader.number("service.desired_count", 1..=50),
                minimum_healthy_percent: reader.number("service.minimum_healthy_percent", 0..=100),
                maximum_percent: reader.number("service.maximum_percent", 100..=200),
                health_check_grace_seconds: reader.number("service.health_check_grace_seconds", 0..=3600),
                exec: reader.flag_or("service.exec", false),
                container_insights: reader.flag_or("service.container_insights", false),
            },
            scaling: Scaling {
                min: reader.number("scaling.min", 1..=50),
                max: reader.number("scaling.max", 1..=50),
                cpu_percent: reader.number("scaling.cpu_percent", 10..=95),
                memory_percent: reader.number("scaling.memory_percent", 10..=95),
            },
            storage: Storage { transition_to_ia_days: transition(reader) },
            images: Images { keep: reader.number("images.keep", 3..=1000) },
            logs: Logs { retention_days: retention(reader) },
            alarms: alarms(reader),
            dashboard: reader.flag_or("dashboard.enabled", true),
            github: github(reader),
            settings: settings(reader, environment),
        };
        // Only where somebody looks at them: each name costs money.
        let watched = deployment.alarms.is_some() || deployment.dashboard;
        deployment.settings.metrics_namespace = watched.then(|| deployment.app.clone());
        deployment.check_what_belongs_together(reader);
        deployment
    }

    fn check_what_belongs_together(&self, reader: &mut Reader) {
        let Scaling { min, max, .. } = self.scaling;
        if min > max {
            reader.problem(
                "scaling.min",
                format_args!("{min} is more than scaling.max, {max}"),
                "lower it, or raise max",
            );
        }
        let Service { minimum_healthy_percent: low, maximum_percent: high, .. } = self.service;
        if low == high {
            let hint = "with 100/100 no task could ever be replaced; raise maximum_percent to 200";
            reader.problem("service.maximum_percent", "leaves no room for a new task", hint);
        }
        let Network { zones, nat_gateways, .. } = self.network;
        if nat_gateways > 1 && nat_gateways != zones {
            let hint = format!("give 0, 1 for all zones, or {zones} for one in each");
            let message = format_args!("{nat_gateways} NAT gateways cannot be shared out among {zones} zones");
            reader.problem("network.nat_gateways", message, hint);
        }
        if self.network.endpoints && nat_gateways == 0 {
            let hint = "set network.nat_gateways to 1 or more; endpoints lead to AWS alone, and forecasts and language \
                        models are on the internet, so they need NAT beside them";
            reader.problem("network.endpoints", "are for private subnets, and there are none", hint);
        }
    }
}

fn environment_name(environment: Environment) -> &'static str {
    BUILT_IN.iter().find(|(_, _, kind)| *kind == environment).map_or("", |(name, ..)| name)
}

fn text_of(source: &ConfigSource) -> Result<(String, String), Problems> {
    match source {
        ConfigSource::Environment(wanted) => match BUILT_IN.iter().find(|(name, ..)| name == wanted) {
            Some((name, text, _)) => Ok((format!("config/{name}.toml"), (*text).to_owned())),
            None => {
                let known = BUILT_IN.map(|(name, ..)| name).join(", ");
                let hint = format!("choose one of {known}, or give a file with --config");
                Err(Problems::one("--environment", wanted, "is not a known environment", hint))
            }
        },
        ConfigSource::File(path) => {
            let file = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                Problems::one(&file, "", format!("cannot be read: {error}"), "check the path given with --config")
            })?;
            Ok((file, text))
        }
    }
}

type Check = Result<(), (String, String)>;

fn wrong(message: String, hint: &str) -> Check {
    Err((message, hint.to_owned()))
}

/// Names on AWS begin with this, so it must fit the strictest of their patterns.
fn name(text: &str, max: usize) -> Check {
    let shaped = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !text.ends_with('-')
        && !text.contains("--")
        && !text.starts_with("sg-")
        && !text.starts_with("internal-")
        && !text.starts_with("aws");
    if shaped && text.len() <= max {
        return Ok(());
    }
    wrong(
        format!("{text:?} cannot begin the names of AWS resources"),
        "use lower-case letters, digits and single hyphens, at most 40, beginning with a letter; not `aws…`, `sg-…` or `internal-…`",
    )
}

fn region(text: &str) -> Check {
    let parts: Vec<_> = text.split('-').collect();
    let shaped = parts.len() >= 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        && parts.last().is_some_and(|last| last.parse::<u8>().is_ok());
    if shaped { Ok(()) } else { wrong(format!("{text:?} is not an AWS region"), "for example ap-northeast-1 (Tokyo)") }
}

fn account(text: &str) -> Check {
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        Ok(())
    } else {
        wrong(format!("{text:?} is not an AWS account"), "give its 12 digits, in quotes")
    }
}

fn cidr(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (address, prefix) = text.split_once('/')?;
    Some((address.parse().ok()?, prefix.parse().ok().filter(|prefix| *prefix <= 32)?))
}

fn network(text: &str) -> Check {
    let Some((address, prefix)) = cidr(text) else {
        return wrong(format!("{text:?} is not a block of addresses"), "for example 10.0.0.0/16");
    };
    if !(16..=24).contains(&prefix) {
        return wrong(
            format!("/{prefix} is too large or too small"),
            "choose /16 to /24, so that subnets fit a load balancer",
        );
    }
    // AWS would quietly use the canonical block, and every later plan would see a difference.
    let canonical = Ipv4Addr::from(u32::from(address) & (u32::MAX << (32 - prefix)));
    if canonical == address {
        return Ok(());
    }
    wrong(format!("{text} does not begin where its block begins"), &format!("write {canonical}/{prefix}"))
}

fn peers(text: &str) -> Check {
    if cidr(text).is_some() {
        Ok(())
    } else {
        wrong(format!("{text:?} is not a block of addresses"), "for example 0.0.0.0/0")
    }
}

fn edge(reader: &mut Reader, region: &str) -> Edge {
    Edge {
        certificate_arn: reader.checked("edge.certificate_arn", |text| certificate(text, region)),
        domain: domain(reader),
        redirect_http: reader.flag_or("edge.redirect_http", true),
        deletion_protection: reader.flag_or("edge.deletion_protection", false),
        access_logs_bucket: reader.checked("edge.access_logs_bucket", bucket),
        ingress_cidrs: reader.list("edge.ingress_cidrs", peers),
        ssl_policy: reader.text("edge.ssl_policy", |text| {
            if text.starts_with("ELBSecurityPolicy-TLS13-1-2") || text.starts_with("ELBSecurityPolicy-TLS13-1-3") {
                Ok(())
            } else {
                wrong(
                    format!("{text:?} allows TLS older than 1.2, or does not exist"),
                    "use ELBSecurityPolicy-TLS13-1-2-2021-06",
                )
            }
        }),
        deregistration_delay_seconds: reader.number("edge.deregistration_delay_seconds", 0..=3600),
        health_check_interval_seconds: reader.number("edge.health_check_interval_seconds", 5..=300),
        idle_timeout_seconds: reader.number("edge.idle_timeout_seconds", 1..=4000),
    }
}

fn bucket(text: &str) -> Check {
    let shaped = (3..=63).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && !text.contains("..");
    if shaped {
        return Ok(());
    }
    let hint = "give its plain name, without `arn:` or `s3://`: 3 to 63 lower-case letters, digits, `-` and `.`";
    wrong(format!("{text:?} is not the name of a bucket"), hint)
}

/// A name with its hosted zone; a certificate comes with it, so none can be given, too.
fn domain(reader: &mut Reader) -> Option<Domain> {
    let name = reader.checked("edge.domain", |text| host_name(text, 64));
    let hosted_zone = reader.checked("edge.hosted_zone", |text| host_name(text, 255));
    let certificate = reader.optional("edge.certificate_arn");
    match (name, hosted_zone) {
        (None, None) => None,
        (Some(_), None) => {
            let hint = "name the hosted zone in Route 53 that it is in, for example example.com";
            reader.problem("edge.hosted_zone", "is missing, but edge.domain is there", hint);
            None
        }
        (None, Some(_)) => {
            let hint = "give edge.domain too, or remove edge.hosted_zone";
            reader.problem("edge.hosted_zone", "is there without edge.domain", hint);
            None
        }
        (Some(name), Some(hosted_zone)) => {
            if certificate.is_some() {
                let hint = "remove one of them: the certificate of edge.domain is requested for you";
                reader.problem("edge.domain", "cannot stand beside edge.certificate_arn", hint);
            }
            if name != hosted_zone && !name.ends_with(&format!(".{hosted_zone}")) {
                let message = format_args!("{name} is not in the hosted zone {hosted_zone}");
                reader.problem("edge.domain", message, "the domain ends in the name of its hosted zone");
            }
            Some(Domain { name, hosted_zone })
        }
    }
}

/// Lower case and without a dot at its end, so that it compares with what AWS answers.
fn host_name(text: &str, max: usize) -> Check {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.contains('.') && text.len() <= max && text.split('.').all(label) {
        return Ok(());
    }
    let hint = format!("write it in lower case, at most {max} characters, for example weather.example.com");
    wrong(format!("{text:?} is not a name on the internet"), &hint)
}

fn certificate(text: &str, region: &str) -> Check {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", "aws", "acm", of, account_id, id] if account(account_id).is_ok() && id.starts_with("certificate/") => {
            if *of == region {
                Ok(())
            } else {
                wrong(
                    format!("the certificate is in {of}, the load balancer in {region}"),
                    "request a certificate in the same region",
                )
            }
        }
        _ => wrong(
            format!("{text:?} is not the ARN of a certificate"),
            "it looks like arn:aws:acm:REGION:ACCOUNT:certificate/ID; `aws acm list-certificates` shows yours",
        ),
    }
}

fn encryption(reader: &mut Reader, region: &str) -> Encryption {
    Encryption {
        kms_key_arn: reader.checked("encryption.kms_key_arn", |text| kms_key(text, region)),
        disk_and_images: reader.flag_or("encryption.disk_and_images", true),
    }
}

/// The key's own ARN: AWS answers with it where an alias was given, and that would look like a difference.
fn kms_key(text: &str, region: &str) -> Check {
    let is_id = |id: &str| {
        let lengths: Vec<_> = id.split('-').map(str::len).collect();
        let single = lengths == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || is_hexadecimal(c));
        single || id.strip_prefix("mrk-").is_some_and(|rest| rest.len() == 32 && rest.chars().all(is_hexadecimal))
    };
    let parts: Vec<_> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", "aws", "kms", of, account_id, id]
            if account(account_id).is_ok() && id.strip_prefix("key/").is_some_and(is_id) =>
        {
            if *of == region {
                Ok(())
            } else {
                wrong(
                    format!("the key is in {of}, what it should encrypt in {region}"),
                    "use a key in the same region, or a replica of it there",
                )
            }
        }
        _ => wrong(
            format!("{text:?} is not the ARN of a KMS key"),
            "it looks like arn:aws:kms:REGION:ACCOUNT:key/ID, and is no alias; `aws kms describe-key --key-id \
             alias/NAME --query KeyMetadata.Arn` shows it",
        ),
    }
}

fn is_hexadecimal(character: char) -> bool {
    character.is_ascii_digit() || ('a'..='f').contains(&character)
}

fn task(reader: &mut Reader, app: &str) -> Task {
    let family = reader.checked("task.family", |text| {
        let fits =
            (1..=255).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if fits { Ok(()) } else { wrong(format!("{text:?} is not a family name"), "use letters, digits, - and _") }
    });
    let task = Task {
        family: family.unwrap_or_else(|| app.to_owned()),
        cpu: reader.number("task.cpu", 256..=16_384),
        memory_mib: reader.number("task.memory_mib", 512..=122_880),
        architecture: reader
            .choice("task.architecture", &[("X86_64", Architecture::X86_64), ("ARM64", Architecture::Arm64)]),
    };
    match fargate_memory(task.cpu) {
        None => reader.problem(
            "task.cpu",
            format_args!("Fargate has no size with {} CPU units", task.cpu),
            "choose 256, 512, 1024, 2048, 4096, 8192 or 16384",
        ),
        Some(sizes) if !sizes.contains(&task.memory_mib) => reader.problem(
            "task.memory_mib",
            format_args!("Fargate has no size with {} CPU units and {} MiB", task.cpu, task.memory_mib),
            format_args!("choose one of {}", list(&sizes)),
        ),
        Some(_) => (),
    }
    task
}

fn alarms(reader: &mut Reader) -> Option<Alarms> {
    let enabled = reader.flag_or("alarms.enabled", true);
    let alarms = Alarms {
        email: reader.checked("alarms.email", email),
        cpu_percent: reader.number_or("alarms.cpu_percent", 90, 1..=100),
        memory_percent: reader.number_or("alarms.memory_percent", 90, 1..=100),
        errors: reader.number_or("alarms.errors", 10, 1..=1_000_000),
        response_seconds: reader.number_or("alarms.response_seconds", 10, 1..=240),
        success_percent: reader.number_or("alarms.success_percent", 95, 1..=100),
    };
    enabled.then_some(alarms)
}

fn email(text: &str) -> Check {
    let shaped = text.split_once('@').is_some_and(|(who, place)| {
        !who.is_empty() && place.contains('.') && !place.contains('@') && !text.contains(char::is_whitespace)
    });
    if shaped { Ok(()) } else { wrong(format!("{text:?} is not an e-mail address"), "for example team@example.com") }
}

fn github(reader: &mut Reader) -> Option<Github> {
    if !reader.has_section("github") {
        return None;
    }
    let github = Github {
        repository: reader.text("github.repository", repository),
        repository_id: reader.number("github.repository_id", 1..=u64::MAX),
        owner_id: reader.number("github.owner_id", 1..=u64::MAX),
        environments: reader.list("github.environments", github_environment),
    };
    if github.environments.is_empty() {
        let hint = "name at least one, as in the workflow's `environment:`, for example [\"production\"]";
        reader.problem("github.environments", "names no environment, so nobody could deploy", hint);
    }
    Some(github)
}

/// A wildcard here would let other repositories in.
fn repository(text: &str) -> Check {
    let part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name)) {
        return Ok(());
    }
    wrong(format!("{text:?} is not a repository on GitHub"), "write OWNER/NAME, without wildcards")
}

fn github_environment(text: &str) -> Check {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain {
        return Ok(());
    }
    wrong(format!("{text:?} is not the plain name of an environment"), "use letters, digits, `-`, `_` and `.`")
}

fn list(numbers: &BTreeSet<i32>) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The memory sizes that Fargate offers with a CPU size.
fn fargate_memory(cpu: i32) -> Option<BTreeSet<i32>> {
    let gib = |range: std::ops::RangeInclusive<i32>, step: usize| range.step_by(step).map(|gib| gib * 1024).collect();
    match cpu {
        256 => Some([512, 1024, 2048].into()),
        512 => Some(gib(1..=4, 1)),
        1024 => Some(gib(2..=8, 1)),
        2048 => Some(gib(4..=16, 1)),
        4096 => Some(gib(8..=30, 1)),
        8192 => Some(gib(16..=60, 4)),
        16_384 => Some(gib(32..=120, 8)),
        _ => None,
    }
}

/// CloudWatch Logs accepts these and no others.
const RETENTIONS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

fn retention(reader: &mut Reader) -> i32 {
    let days = reader.number("logs.retention_days", 1..=3653);
    if !RETENTIONS.contains(&days) {
        let hint = format!("choose one of {}", list(&RETENTIONS.into()));
        reader.problem("logs.retention_days", format_args!("CloudWatch Logs cannot keep lines for {days} days"), hint);
    }
    days
}

/// EFS moves files after these many days and no others.
const TRANSITIONS: [u16; 8] = [1, 7, 14, 30, 60, 90, 180, 365];

fn transition(reader: &mut Reader) -> Option<u16> {
    let days = reader.number_or("storage.transition_to_ia_days", 0, 0..=365);
    if days != 0 && !TRANSITIONS.contains(&days) {
        let known = TRANSITIONS.map(|days| days.to_string()).join(", ");
        let hint = format!("choose one of {known}, or leave it out");
        reader.problem("storage.transition_to_ia_days", format_args!("EFS cannot move files after {days} days"), hint);
    }
    (days != 0).then_some(days)
}

/// Inside the container, everything but the choices of the file is fixed by the image.
fn settings(reader: &mut Reader, environment: Environment) -> App {
    let weather = reader.choice("app_settings.weather_source", &service::WEATHER_SOURCES);
    if environment == Environment::Production && weather == service::WeatherSource::Demo {
        let hint = "production needs real forecasts; set it to open-meteo or wxtech";
        reader.problem("app_settings.weather_source", "demo is not for production", hint);
    }
    App {
        environment,
        page_addr: ([0, 0, 0, 0], 8501).into(),
        api_addr: ([0, 0, 0, 0], 8000).into(),
        weather,
        open_meteo_base_url: None,
        wxtech_base_url: None,
        llm: Llm { providers: Llm::read_providers(reader, "app_settings.llm_providers"), ..Llm::default() },
        workers: reader.number("app_settings.workers", 1..=16),
        cache_dir: "/app/cache".into(),
        memory_entries: reader.number("app_settings.memory_entries", 1..=100_000),
        memory_ttl: Duration::from_secs(reader.number("app_settings.memory_ttl_seconds", 0..=86_400)),
        file_ttl: Duration::from_secs(reader.number("app_settings.file_ttl_seconds", 0..=604_800)),
        spatial_radius_km: reader.number("app_settings.spatial_radius_km", 0..=100),
        history_days: reader.number_or("app_settings.history_days", service::HISTORY_DAYS, service::HISTORY_RANGE),
        log_format: LogFormat::Json,
        log_filter: "info".to_owned(),
        metrics_namespace: None,
        now: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &str, overrides: &[&str]) -> Result<Deployment, Problems> {
        let overrides: Vec<Override> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        Deployment::load(&ConfigSource::Environment(environment.to_owned()), &overrides)
    }

    #[test]
    fn every_built_in_environment_is_correct_and_says_its_own_name() {
        for (name, ..) in BUILT_IN {
            let deployment = load(name, &[]).unwrap();
            assert_eq!(deployment.environment, name);
            assert_eq!((deployment.task.cpu, deployment.task.memory_mib), (1024, 2048));
        }
    }

    #[test]
    fn an_unknown_environment_names_the_known_ones() {
        insta::assert_snapshot!(load("prod", &[]).unwrap_err(), @r"
        the configuration has 1 problem
        --environment: prod: is not a known environment
          hint: choose one of local, staging, production, or give a file with --config
        ");
    }

    #[test]
    fn values_on_the_command_line_are_checked_like_those_in_the_file() {
        let arn = "arn:aws:acm:ap-northeast-1:123456789012:certificate/abc";
        let deployment = load("local", &["scaling.max=6", &format!("edge.certificate_arn={arn}")]).unwrap();
        assert_eq!(deployment.scaling.max, 6);
        assert_eq!(deployment.edge.certificate_arn.as_deref(), Some(arn));
        insta::assert_snapshot!(
            load("staging", &["scaling.min=9", "logs.retention_days=31", "task.memory_mib=1024", "scaling.maxx=2",
                "edge.certificate_arn=arn:aws:acm:us-east-1:123456789012:certificate/abc", "app=sg-x"]).unwrap_err(),
            @r#"
        the configuration has 6 problems
        --set: app: "sg-x" cannot begin the names of AWS resources
          hint: use lower-case letters, digits and single hyphens, at most 40, beginning with a letter; not `aws…`, `sg-…` or `internal-…`
        --set: task.memory_mib: Fargate has no size with 1024 CPU units and 1024 MiB
          hint: choose one of 2048, 3072, 4096, 5120, 6144, 7168, 8192
        --set: edge.certificate_arn: the certificate is in us-east-1, the load balancer in ap-northeast-1
          hint: request a certificate in the same region
        --set: logs.retention_days: CloudWatch Logs cannot keep lines for 31 days
          hint: choose one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
        --set: scaling.min: 9 is more than scaling.max, 4
          hint: lower it, or raise max
        --set: scaling.maxx: is not a known key
          hint: did you mean scaling.max?
        "#
        );
    }

    #[test]
    fn a_problem_in_a_file_is_found_by_its_line() {
        let text = include_str!("../staging.toml").replace("[scaling]", "[scaling]\ncolour = 3");
        let mut reader = Reader::of_toml("staging.toml", &text).unwrap();
        Deployment::read(&mut reader);
        let problems = reader.finish().unwrap_err();
        let line = text.lines().position(|line| line.starts_with("colour")).map(|index| index + 1);
        assert_eq!((problems.0.len(), problems.0[0].line), (1, line));
    }

    #[test]
    fn broken_toml_is_reported_with_its_line() {
        let Err(problems) = Reader::of_toml("x.toml", "app = \"x\"\n[scaling\n") else {
            panic!("this is not TOML");
        };
        assert_eq!(problems.0[0].line, Some(2));
    }

    #[test]
    fn a_domain_comes_with_its_zone_and_without_a_certificate() {
        let deployment = load("staging", &["edge.domain=weather.example.com", "edge.hosted_zone=example.com"]).unwrap();
        let domain = deployment.edge.domain.unwrap();
        assert_eq!((domain.name.as_str(), domain.hosted_zone.as_str()), ("weather.example.com", "example.com"));
        let arn = "edge.certificate_arn=arn:aws:acm:ap-northeast-1:123456789012:certificate/abc";
        let cases: [(&[&str], &str); 5] = [
            (&["edge.domain=weather.example.com"], "edge.hosted_zone: is missing, but edge.domain is there"),
            (&["edge.hosted_zone=example.com"], "edge.hosted_zone: is there without edge.domain"),
            (&["edge.domain=weather.example.com", "edge.hosted_zone=example.com", arn], "cannot stand beside"),
            (&["edge.domain=weather.example.com", "edge.hosted_zone=example.org"], "is not in the hosted zone"),
            (&["edge.domain=Weather.example.com.", "edge.hosted_zone=example.com"], "is not a name on the internet"),
        ];
        for (overrides, part) in cases {
            let problems = load("staging", overrides).unwrap_err().to_string();
            assert!(problems.contains(part), "{part:?} is missing from:\n{problems}");
        }
    }

    #[test]
    fn nat_gateways_are_none_or_one_or_one_in_each_zone() {
        for (zones, gateways) in [(2, 0), (2, 1), (2, 2), (3, 1), (3, 3)] {
            let overrides = [format!("network.zones={zones}"), format!("network.nat_gateways={gateways}")];
            let overrides: Vec<_> = overrides.iter().map(String::as_str).collect();
            assert_eq!(load("staging", &overrides).unwrap().network.nat_gateways, gateways);
        }
        let problems = load("staging", &["network.zones=3", "network.nat_gateways=2"]).unwrap_err();
        assert_eq!(problems.0[0].hint.as_deref(), Some("give 0, 1 for all zones, or 3 for one in each"));
    }

    #[test]
    fn endpoints_need_private_subnets_that_reach_the_internet_too() {
        let problems = load("staging", &["network.endpoints=true"]).unwrap_err();
        assert_eq!(problems.0[0].key, "network.endpoints");
        assert!(problems.0[0].hint.as_ref().unwrap().starts_with("set network.nat_gateways to 1 or more"));
        assert!(load("staging", &["network.endpoints=true", "network.nat_gateways=1"]).unwrap().network.endpoints);
    }

    #[test]
    fn a_bucket_is_given_by_its_plain_name() {
        let with = |name: &str| load("staging", &[&format!("edge.access_logs_bucket={name}")]);
        assert_eq!(with("my-logs.2026").unwrap().edge.access_logs_bucket.as_deref(), Some("my-logs.2026"));
        for wrong in ["arn:aws:s3:::my-logs", "s3://my-logs", "My-logs", "my_logs", "my..logs", "-logs", "ab"] {
            let problems = with(wrong).unwrap_err();
            assert!(problems.0[0].hint.as_ref().unwrap().starts_with("give its plain name"), "{wrong}: {problems}");
        }
    }

    #[test]
    fn what_costs_money_is_off_and_production_is_protected_from_deletion() {
        for (name, ..) in BUILT_IN {
            let deployment = load(name, &[]).unwrap();
            let Service { exec, container_insights, .. } = deployment.service;
            assert_eq!((deployment.network.nat_gateways, exec, container_insights), (0, false, false), "{name}");
            assert!(!deployment.network.flow_logs && !deployment.network.endpoints, "{name}");
            assert_eq!(deployment.encryption.kms_key_arn, None, "{name}");
            assert_eq!(deployment.edge.access_logs_bucket, None, "{name}");
            assert!(deployment.edge.redirect_http, "{name}");
            assert_eq!(deployment.edge.deletion_protection, name == "production");
        }
    }

    #[test]
    fn alarms_have_defaults_and_can_be_switched_off() {
        let deployment = load("staging", &["alarms.cpu_percent=70", "alarms.email=team@example.com"]).unwrap();
        let alarms = deployment.alarms.unwrap();
        assert_eq!((alarms.cpu_percent, alarms.email.as_deref()), (70, Some("team@example.com")));
        assert!(load("staging", &["alarms.enabled=false"]).unwrap().alarms.is_none());
        let problems = load("staging", &["alarms.enabled=7", "alarms.email=team"]).unwrap_err();
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["alarms.enabled", "alarms.email"]);
    }

    #[test]
    fn a_repository_that_may_deploy_is_named_in_full_and_without_wildcards() {
        assert_eq!(load("staging", &[]).unwrap().github, None);
        let given = ["github.repository_id=7", "github.owner_id=8"];
        let with = |more: &[&'static str]| load("staging", &[&given[..], more].concat());
        let good = with(&["github.repository=example/weather", "github.environments=[\"staging\"]"]).unwrap();
        let github = good.github.unwrap();
        assert_eq!((github.repository.as_str(), github.repository_id, github.owner_id), ("example/weather", 7, 8));
        for (repository, environments) in
            [("example/*", "[\"a\"]"), ("example", "[\"a\"]"), ("a/b", "[\"*\"]"), ("a/b", "[]")]
        {
            let overrides = [format!("github.repository={repository}"), format!("github.environments={environments}")];
            let overrides: Vec<_> = given.into_iter().chain(overrides.iter().map(String::as_str)).collect();
            assert!(load("staging", &overrides).is_err(), "{repository} {environments}");
        }
    }

    #[test]
    fn a_key_of_ones_own_is_named_in_full_and_is_in_the_region() {
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let with = |key: String| load("staging", &[&format!("encryption.kms_key_arn={key}")]);
        let arn = format!("arn:aws:kms:ap-northeast-1:123456789012:key/{id}");
        let encryption = with(arn.clone()).unwrap().encryption;
        assert_eq!((encryption.kms_key_arn, encryption.disk_and_images), (Some(arn), true));
        assert!(with(format!("arn:aws:kms:ap-northeast-1:123456789012:key/mrk-{}", "0f".repeat(16))).is_ok());
        let cases = [
            ("arn:aws:kms:us-east-1:123456789012:key/ID", "in the same region"),
            ("arn:aws:kms:ap-northeast-1:123456789012:alias/mine", "is no alias"),
            ("ID", "is no alias"),
            ("arn:aws:kms:ap-northeast-1:12345:key/ID", "is no alias"),
            ("arn:aws:kms:ap-northeast-1:123456789012:key/mine", "is no alias"),
        ];
        for (key, part) in cases {
            let problems = with(key.replace("ID", id)).unwrap_err();
            assert!(problems.0[0].hint.as_ref().unwrap().contains(part), "{key}: {problems}");
        }
    }

    #[test]
    fn a_network_that_aws_would_rewrite_is_refused() {
        let problems = load("staging", &["network.cidr=10.0.0.9/16"]).unwrap_err();
        assert_eq!(problems.0[0].hint.as_deref(), Some("write 10.0.0.0/16"));
    }
}
