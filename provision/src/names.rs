//! Every name that AWS knows us by, derived from application and environment.
//!
//! A name that fits is plain; one that would be too long is cut and ends in a hash, so that two
//! long names that begin alike stay apart. See AWS's limits beside each method.

use config::deployment::Deployment;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

/// Derives names for one application in one environment.
#[derive(Clone, Debug)]
pub struct Names {
    app: String,
    environment: String,
    region: String,
    base: String,
}

/// One of our names.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// What has it.
    pub(crate) of: &'static str,
    /// The name.
    pub(crate) text: String,
    /// How many characters AWS takes.
    pub(crate) longest: usize,
}

impl Names {
    /// Prepares the names of a deployment.
    pub fn of(deployment: &Deployment) -> Self {
        Self::new(&deployment.app, &deployment.environment, &deployment.region)
    }

    fn new(app: &str, environment: &str, region: &str) -> Self {
        Self {
            app: app.to_owned(),
            environment: environment.to_owned(),
            region: region.to_owned(),
            base: format!("{}-{}", slug(app), slug(environment)),
        }
    }

    /// The load balancer: at most 32 letters, digits and hyphens.
    pub fn load_balancer(&self) -> String {
        self.fitted("alb", 32)
    }

    /// A target group: at most 32, and always with a hash of what cannot change in place, so that
    /// a replacement can exist beside its predecessor.
    pub fn target_group(&self, kind: &str, immutable: &str) -> String {
        self.hashed(kind, immutable, 32)
    }

    /// A security group; the kind comes last because `sg-…` is AWS's own.
    pub fn security_group(&self, kind: &str) -> String {
        format!("{}-{kind}-sg", self.base)
    }

    /// A role: at most 64, unique in the account over all regions.
    pub fn role(&self, kind: &str) -> String {
        self.fitted(&format!("{kind}-{}", self.region), 64)
    }

    /// The log group into which Container Insights writes what it measures in a cluster; AWS names it.
    pub fn measurements(cluster: &str) -> String {
        format!("/aws/ecs/containerinsights/{cluster}/performance")
    }

    /// Any target group of a kind, whatever it is made of, as a policy names them.
    pub fn target_groups(&self, kind: &str) -> String {
        let one = self.target_group(kind, "");
        format!("{}??????", &one[..one.len() - 6])
    }

    /// The path of the role that a pipeline takes. It is not the path of our other roles, so that no right over those
    /// is a right over itself.
    pub fn pipeline_path(&self) -> String {
        format!("/provision-pipeline/{}/{}/", slug(&self.app), slug(&self.environment))
    }

    /// The path of all our roles, by which they can be listed.
    pub fn role_path(&self) -> String {
        format!("/provision/{}/{}/", slug(&self.app), slug(&self.environment))
    }

    /// The cluster and what runs in it: letters, digits, hyphens.
    pub fn cluster(&self) -> String {
        self.fitted("cluster", 255)
    }

    /// The service in the cluster.
    pub fn service(&self) -> String {
        self.fitted("service", 255)
    }

    /// The family of task definitions: letters, digits, hyphens.
    pub fn task_family(&self) -> String {
        self.fitted("task", 255)
    }

    /// The image repository, in lower case.
    pub fn repository(&self) -> String {
        format!("{}/{}", slug(&self.app), slug(&self.environment))
    }

    /// The secret. It must not end in a hyphen and six characters, which is how AWS marks its own suffix.
    pub fn secret(&self) -> String {
        format!("{}/{}/api-keys", slug(&self.app), slug(&self.environment))
    }

    /// The log group of the service.
    pub fn log_group(&self) -> String {
        format!("/{}/{}/service", slug(&self.app), slug(&self.environment))
    }

    /// What the names of the load balancer's logs begin with, in a bucket that others may use, too.
    pub fn access_logs(&self) -> String {
        format!("{}/{}", slug(&self.app), slug(&self.environment))
    }

    /// The log group of the connections in the network.
    pub fn flow_logs(&self) -> String {
        format!("/{}/{}/flow-logs", slug(&self.app), slug(&self.environment))
    }

    /// The log group of what people typed in tasks, and what they were answered.
    pub fn exec_log(&self) -> String {
        format!("/{}/{}/exec", slug(&self.app), slug(&self.environment))
    }

    /// The log group of the record of runs, with the lock.
    pub fn deployments(&self) -> String {
        format!("/{}/{}/deployments", slug(&self.app), slug(&self.environment))
    }

    /// The creation token of the file system: at most 64.
    pub fn file_system(&self) -> String {
        self.fitted("cache", 64)
    }

    /// What the names of all alarms begin with; no other name here has a slash, so nothing else begins with it.
    pub fn alarms(&self) -> String {
        format!("{}/", self.base)
    }

    /// The topic of the alarms: letters, digits, hyphens.
    pub fn topic(&self) -> String {
        self.fitted("alarms", 256)
    }

    /// The dashboard: letters, digits, hyphens, and one name for all regions of an account.
    pub fn dashboard(&self) -> String {
        self.fitted(&self.region, 255)
    }

    /// Every name with the kind of thing that has it and how long AWS lets it be.
    pub(crate) fn all(&self) -> Vec<Name> {
        let name = |of: &'static str, text: String, longest: usize| Name { of, text, longest };
        vec![
            name("load balancer", self.load_balancer(), 32),
            name("target group", self.target_group("page", ""), 32),
            name("target group", self.target_group("api", ""), 32),
            name("security group", self.security_group("service"), 255),
            name("role", self.role("execution"), 64),
            name("role", self.role("task"), 64),
            name("role", self.role("pipeline"), 64),
            name("path of roles", self.role_path(), 512),
            name("path of roles", self.pipeline_path(), 512),
            name("cluster", self.cluster(), 255),
            name("service", self.service(), 255),
            name("task definition", self.task_family(), 255),
            name("repository", self.repository(), 256),
            name("secret", self.secret(), 512),
            name("log group", self.log_group(), 512),
            name("log group", self.deployments(), 512),
            name("file system", self.file_system(), 64),
            name("topic", self.topic(), 256),
            name("dashboard", self.dashboard(), 255),
        ]
    }

    /// Whether a name was cut and ends in a hash, because the plain one would be too long.
    pub(crate) fn is_cut(&self, name: &Name) -> bool {
        !name.text.contains(&self.base) && !name.text.contains('/')
    }

    fn fitted(&self, kind: &str, max: usize) -> String {
        let plain = format!("{}-{kind}", self.base);
        if plain.len() <= max { plain } else { self.hashed(kind, "", max) }
    }

    fn hashed(&self, kind: &str, immutable: &str, max: usize) -> String {
        let hash = self.hash(kind, immutable);
        let room = max - kind.len() - hash.len() - 2;
        let base = self.base.get(..room).unwrap_or(&self.base).trim_end_matches('-');
        format!("{base}-{kind}-{hash}")
    }

    fn hash(&self, kind: &str, immutable: &str) -> String {
        let whole = [&self.region, &self.app, &self.environment, kind, immutable].join("/");
        let digest = BASE32_NOPAD.encode(&Sha256::digest(whole));
        digest[..6].to_ascii_lowercase()
    }
}

/// Lower-case letters, digits and single hyphens, beginning with a letter.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in text.to_ascii_lowercase().chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches('-');
    if slug.starts_with(|first: char| first.is_ascii_lowercase()) { slug.to_owned() } else { format!("a{slug}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use config::deployment::ConfigSource;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_plain_where_they_fit() {
        let names = Names::new("wcg", "staging", "ap-northeast-1");
        assert_eq!(names.load_balancer(), "wcg-staging-alb");
        assert_eq!(names.role("task"), "wcg-staging-task-ap-northeast-1");
        assert_eq!(names.secret(), "wcg/staging/api-keys");
        assert_eq!(names.security_group("alb"), "wcg-staging-alb-sg");
    }

    #[test]
    fn a_target_group_that_cannot_change_in_place_gets_another_name() {
        let names = Names::new("weather-comment-generator", "production", "ap-northeast-1");
        assert_ne!(names.target_group("page", "8501/HTTP"), names.target_group("page", "8502/HTTP"));
        assert_eq!(names.target_group("page", "8501/HTTP").len(), 32);
    }

    #[test]
    fn a_name_that_is_cut_says_so() {
        let cut = |app: &str| {
            let names = Names::new(app, "production", "ap-northeast-1");
            let all = names.all().into_iter();
            all.filter(|name| names.is_cut(name)).map(|name| name.of).collect::<BTreeSet<_>>()
        };
        assert_eq!(cut("wcg"), BTreeSet::new());
        assert_eq!(cut("weather-comment-generator"), BTreeSet::from(["load balancer", "target group"]));
    }

    proptest! {
        // Names of two applications that differ only in what is cut off or replaced would meet on AWS.
        #[test]
        fn what_the_configuration_takes_for_an_application_is_kept_as_it_is(app in "[A-Za-z0-9 _.-]{1,42}") {
            let staging = ConfigSource::Environment("staging".to_owned());
            if Deployment::load(&staging, &[format!("app={app}").parse().unwrap()]).is_ok() {
                assert_eq!(slug(&app), app.trim());
            }
        }

        #[test]
        fn every_name_fits_the_pattern_of_its_service(
            app in prop_oneof!["[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,9}){0,3}", Just("sg".to_owned()), Just("internal".to_owned())],
            environment in prop_oneof![Just("staging"), Just("production"), Just("local")],
        ) {
            let source = ConfigSource::Environment(environment.to_owned());
            prop_assume!(Deployment::load(&source, &[format!("app={app}").parse().unwrap()]).is_ok());
            let names = Names::new(&app, environment, "ap-northeast-1");
            for short in [names.load_balancer(), names.target_group("api", "x")] {
                assert!(short.len() <= 32, "{short}");
                assert!(short.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{short}");
                assert!(!short.starts_with('-') && !short.ends_with('-') && !short.starts_with("internal-"));
            }
            for name in names.all() {
                assert!(name.text.len() <= name.longest, "{name:?}");
            }
            assert!(!names.security_group("alb").starts_with("sg-"));
            let repository = names.repository();
            assert!(repository.split('/').all(|part| !part.is_empty() && !part.contains("--")), "{repository}");
        }
    }
}
