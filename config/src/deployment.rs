//! One environment's file: what is built on AWS, and what the service in it is told.

mod alarms;
mod app_settings;
mod edge;
mod encryption;
mod github;
mod kept;
mod network;
mod service;
mod task;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;

use crate::problems::Problems;
use crate::reader::Reader;
use crate::service::{App, Environment};

pub use alarms::Alarms;
pub use edge::{Domain, Edge, WebAcl};
pub use encryption::Encryption;
pub use github::Github;
pub use kept::{Images, Logs, Storage};
pub use network::Network;
pub use service::{Scaling, Service};
pub use task::{Architecture, Task};

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

    /// Every key that a file may have, in the order in which they are read.
    ///
    /// # Panics
    /// When a built-in file is no TOML, which a test rules out.
    pub fn keys() -> Vec<String> {
        let (name, text, _) = BUILT_IN[0];
        let mut reader = Reader::of_toml(name, text).expect("the built-in files are TOML");
        // A section that may be absent is read only when it is there.
        reader.set("github.repository", "OWNER/NAME");
        Self::read(&mut reader);
        reader.into_known()
    }

    fn read(reader: &mut Reader) -> Self {
        let app = reader.text("app", |text| name(text, 40));
        let environment = reader.choice("environment", &BUILT_IN.map(|(name, _, kind)| (name, kind)));
        let region = reader.text("region", region);
        let mut deployment = Self {
            task: Task::read(reader),
            app,
            environment: environment_name(environment).to_owned(),
            account: reader.checked("account", account),
            network: Network::read(reader),
            edge: Edge::read(reader, &region),
            encryption: Encryption::read(reader, &region),
            region,
            service: Service::read(reader),
            scaling: Scaling::read(reader),
            storage: Storage::read(reader),
            images: Images::read(reader),
            logs: Logs::read(reader),
            alarms: Alarms::read(reader),
            dashboard: reader.flag_or("dashboard.enabled", true),
            github: Github::read(reader),
            settings: app_settings::read(reader, environment),
        };
        // Only where somebody looks at them: each name costs money.
        let watched = deployment.alarms.is_some() || deployment.dashboard;
        deployment.settings.metrics_namespace = watched.then(|| deployment.app.clone());
        deployment.check_what_belongs_together(reader);
        deployment
    }

    fn check_what_belongs_together(&self, reader: &mut Reader) {
        self.scaling.check_what_belongs_together(reader);
        self.service.check_what_belongs_together(reader);
        self.network.check_what_belongs_together(reader);
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
        // A hyphen follows in every name.
        && !["sg-", "internal-", "aws"].iter().any(|reserved| format!("{text}-").starts_with(reserved));
    if shaped && text.len() <= max {
        return Ok(());
    }
    wrong(
        format!("{text:?} cannot begin the names of AWS resources"),
        "use lower-case letters, digits and single hyphens, at most 40, beginning with a letter; not `aws…`, `sg`, `sg-…`, `internal` or `internal-…`",
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

fn list(numbers: &BTreeSet<i32>) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
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
    fn every_key_of_a_built_in_file_is_among_all_keys() {
        let keys = Deployment::keys();
        assert!(keys.len() > 50 && keys.contains(&"github.owner_id".to_owned()), "{keys:?}");
        for (name, text, _) in BUILT_IN {
            let section = |line: &str| Some(line.strip_prefix('[')?.strip_suffix(']')?.to_owned());
            let mut prefix = String::new();
            for line in text.lines() {
                prefix = section(line).map_or(prefix, |section| section + ".");
                let key = line.split_once(" = ").filter(|_| !line.starts_with('#')).map(|(key, _)| key);
                assert!(key.is_none_or(|key| keys.contains(&format!("{prefix}{key}"))), "{name}: {line}");
            }
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
    fn an_application_cannot_have_a_name_that_is_reserved_before_a_hyphen() {
        for (text, taken) in [("sg", false), ("sg-x", false), ("sgx", true), ("internal", false), ("awsome", false)] {
            assert_eq!(name(text, 40).is_ok(), taken, "{text}");
        }
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
          hint: use lower-case letters, digits and single hyphens, at most 40, beginning with a letter; not `aws…`, `sg`, `sg-…`, `internal` or `internal-…`
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
    fn a_firewall_is_one_of_the_region_or_none() {
        let with = |value: &str| load("staging", &[&format!("edge.web_acl={value}")]);
        let arn = "arn:aws:wafv2:ap-northeast-1:123456789012:regional/webacl/name/0f1e2d3c";
        assert_eq!(with(arn).unwrap().edge.web_acl, Some(WebAcl::Arn(arn.to_owned())));
        assert_eq!(with("none").unwrap().edge.web_acl, Some(WebAcl::None));
        for (wrong, hint) in [
            (arn.replace("ap-northeast-1", "us-east-1"), "make one in the same region"),
            (arn.replace("regional", "global"), "make one of scope REGIONAL"),
            (arn.replace("webacl", "rulegroup"), "it looks like arn:aws:wafv2:"),
            (arn.replace("123456789012", "me"), "it looks like arn:aws:wafv2:"),
            ("off".to_owned(), "it looks like arn:aws:wafv2:"),
        ] {
            let problems = with(&wrong).unwrap_err();
            assert!(problems.0[0].hint.as_ref().unwrap().starts_with(hint), "{wrong}: {problems}");
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
            assert_eq!(deployment.edge.web_acl, None, "{name}");
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
