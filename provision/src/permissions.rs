//! Who needs which permissions on AWS, made from the operations that the code sends.
//!
//! The table says for each operation which IAM actions it takes, on what, and under which conditions. A test records
//! what a deploy, changes and a destroy really send, and compares both ways.

use std::collections::{BTreeMap, BTreeSet};

use config::deployment::Deployment;
use serde_json::{Map, Value, json};

use crate::aws::{TAG_APP, TAG_ENVIRONMENT};
use crate::names::Names;

const TABLE: &str = include_str!("../data/permissions.csv");

/// Who works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A pipeline: ships images and changes in place what exists. It can neither make nor remove anything, nor write
    /// a role, nor read a secret.
    Pipeline,
    /// Whoever asks `provision doctor`, which looks at more than a deploy does. It is a part of what an operator may do.
    Doctor,
    /// A person who makes and removes everything, besides what a pipeline does.
    Operator,
    /// A person who runs commands in tasks, and nothing else. A role of its own: whoever is in a task reads the secrets
    /// that were given to it, which nobody may who only deploys.
    Visitor,
}

impl Who {
    /// Whether somebody does what another one does, too.
    fn also_does_what(self, other: Self) -> bool {
        let others: &[Self] = match self {
            Self::Operator => &[Self::Pipeline, Self::Doctor],
            Self::Doctor => &[Self::Pipeline],
            Self::Pipeline | Self::Visitor => &[],
        };
        self == other || others.contains(&other)
    }
}

/// What an action is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To ship an image, and to change in place what exists.
    Ship,
    /// To make something.
    Make,
    /// To remove something.
    Remove,
    /// To look at more than a deploy does.
    Look,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The operation: the service's name in signatures, and its own.
    pub operation: &'static str,
    /// Who needs it.
    pub who: Who,
    /// The IAM actions it takes.
    pub actions: Vec<&'static str>,
    resource: &'static str,
    condition: &'static str,
}

impl Permission {
    fn purpose(&self) -> Purpose {
        let operation = self.operation.split_once(':').map_or("", |(_, operation)| operation);
        let removes = ["Delete", "Deregister", "Detach", "Disassociate", "Release"];
        match self.who {
            Who::Pipeline => Purpose::Ship,
            Who::Doctor | Who::Visitor => Purpose::Look,
            Who::Operator if removes.iter().any(|verb| operation.starts_with(verb)) => Purpose::Remove,
            Who::Operator => Purpose::Make,
        }
    }
}

/// What IAM can be asked: whether somebody may do something to one of some things, under some circumstances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What the actions are for.
    pub purpose: Purpose,
    /// The actions.
    pub actions: Vec<&'static str>,
    /// The ARNs of things as they will be called, of each kind that may be meant; nothing stands for anything.
    pub things: Vec<String>,
    /// The keys and values of the conditions.
    pub circumstances: Vec<(String, String)>,
}

/// All of them; an operation has a line for each combination of resource and condition.
///
/// # Panics
/// When the table has a line of another shape, which a test rules out.
pub fn all() -> Vec<Permission> {
    let line = |line: &'static str| {
        let cells: Vec<_> = line.split(',').collect();
        let [operation, who, actions, resource, condition] = cells[..] else {
            panic!("a line of another shape: {line}")
        };
        let who = match who {
            "ci" => Who::Pipeline,
            "doctor" => Who::Doctor,
            "operator" => Who::Operator,
            "visitor" => Who::Visitor,
            other => panic!("nobody is {other}: {line}"),
        };
        Permission { operation, who, actions: actions.split_whitespace().collect(), resource, condition }
    };
    TABLE.lines().skip(1).map(line).collect()
}

/// What permissions are about: one environment in one account.
#[derive(Clone, Debug)]
pub struct Place {
    account: String,
    region: String,
    app: String,
    environment: String,
    own_key: Option<String>,
    names: Names,
}

/// Actions and operations of one statement, by resource and condition.
type Groups<'a> = BTreeMap<(&'a str, &'a str), (BTreeSet<&'a str>, BTreeSet<&'a str>)>;

impl Place {
    /// The place of a deployment in an account.
    pub fn of(deployment: &Deployment, account: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: deployment.region.clone(),
            app: deployment.app.clone(),
            environment: deployment.environment.clone(),
            own_key: deployment.encryption.kms_key_arn.clone(),
            names: Names::of(deployment),
        }
    }

    /// The policy of whoever works here, in documents of at most `limit` characters.
    pub fn policies(&self, who: Who, limit: usize) -> Vec<Value> {
        let mut documents = Vec::new();
        let mut statements: Vec<Value> = Vec::new();
        for statement in self.statements(who) {
            statements.push(statement);
            if document(&statements).to_string().len() > limit && statements.len() > 1 {
                let next = statements.split_off(statements.len() - 1);
                documents.push(document(&statements));
                statements = next;
            }
        }
        documents.push(document(&statements));
        documents
    }

    /// Everything that the table gives to those who deploy, as questions for IAM's simulator.
    pub fn questions(&self) -> Vec<Question> {
        let mut groups: BTreeMap<_, (BTreeSet<&'static str>, BTreeSet<&'static str>)> = BTreeMap::new();
        // Without a key of one's own nobody has to be allowed to use it.
        let is_asked = |line: &Permission| {
            Who::Operator.also_does_what(line.who)
                && !line.actions.is_empty()
                && !self.resources(line.resource).is_empty()
        };
        for line in all().into_iter().filter(is_asked) {
            let (actions, operations) = groups.entry((line.purpose(), line.resource, line.condition)).or_default();
            actions.extend(&line.actions);
            operations.extend(line.operation.split_once(':').map(|(_, operation)| operation));
        }
        let question = |((purpose, resource, condition), (actions, operations)): (_, (BTreeSet<_>, BTreeSet<_>))| {
            let condition = self.condition(condition, &operations).unwrap_or_default();
            let mut circumstances = vec![("aws:RequestedRegion".to_owned(), self.region.clone())];
            for (key, value) in
                condition.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object).flatten()
            {
                // Any one of several values will do.
                let value = value.as_str().or_else(|| value[0].as_str()).unwrap_or_default();
                circumstances.push((key.clone(), value.to_owned()));
            }
            Question { purpose, actions: actions.into_iter().collect(), things: self.things(resource), circumstances }
        };
        groups.into_iter().map(question).collect()
    }

    /// An example of each kind of thing behind a word of the table.
    fn things(&self, word: &str) -> Vec<String> {
        let kinds: &[&str] = match word {
            "any" => return Vec::new(),
            "ec2" => &[
                "vpc",
                "subnet",
                "internet-gateway",
                "route-table",
                "security-group",
                "network-interface",
                "natgateway",
                "elastic-ip",
            ],
            "efs" => &["file-system", "access-point"],
            _ => &[],
        };
        let examples = |arn: String| match arn.strip_suffix("*/*") {
            Some(head) => kinds.iter().map(|kind| format!("{head}{kind}/x")).collect(),
            None => vec![arn.replace(['*', '?'], "x")],
        };
        self.resources(word).into_iter().flat_map(examples).collect()
    }

    /// One statement for all that is allowed on the same things under the same condition.
    fn statements(&self, who: Who) -> Vec<Value> {
        let mut groups: Groups<'_> = BTreeMap::new();
        for line in all().into_iter().filter(|line| who.also_does_what(line.who) && !line.actions.is_empty()) {
            let (actions, operations) = groups.entry((line.resource, line.condition)).or_default();
            actions.extend(line.actions);
            operations.extend(line.operation.split_once(':').map(|(_, operation)| operation));
        }
        let statement = |((resource, condition), (actions, operations)): (_, (BTreeSet<&str>, BTreeSet<&str>))| {
            let mut statement = json!({"Effect": "Allow", "Action": actions, "Resource": self.resources(resource)});
            if let Some(condition) = self.condition(condition, &operations) {
                statement["Condition"] = condition;
            }
            statement
        };
        // Without a key of one's own there is nothing to be allowed with it.
        groups.into_iter().filter(|((word, _), _)| !self.resources(word).is_empty()).map(statement).collect()
    }

    /// The ARNs behind a word of the table.
    fn resources(&self, word: &str) -> Vec<String> {
        let Self { names, region, account, .. } = self;
        let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}");
        let global = |service: &str, rest: &str| format!("arn:aws:{service}::{account}:{rest}");
        let (cluster, service, balancer) = (names.cluster(), names.service(), names.load_balancer());
        match word {
            // What AWS offers no narrower resource for: mostly lists and descriptions. Roles are looked for before they exist, when
            // IAM knows no path of theirs; to see any role says no more than to list them all.
            "any" => vec!["*".to_owned()],
            "certificates" => vec![arn("acm", "certificate/*")],
            // Identifiers are AWS's own, so tags tell what is ours.
            "ec2" => vec![arn("ec2", "*/*")],
            "efs" => vec![arn("elasticfilesystem", "*/*")],
            // EFS makes them in the caller's name, without tags.
            "network-interfaces" => vec![arn("ec2", "network-interface/*")],
            "ecs" => vec![
                arn("ecs", &format!("cluster/{cluster}")),
                arn("ecs", &format!("service/{cluster}/{service}")),
                arn("ecs", &format!("service-deployment/{cluster}/{service}/*")),
                arn("ecs", &format!("task/{cluster}/*")),
                arn("ecs", &format!("task-definition/{}:*", names.task_family())),
            ],
            "measurements" => {
                let name = Names::measurements(&cluster);
                ["", ":*"].map(|end| arn("logs", &format!("log-group:{name}{end}"))).into()
            }
            "linked-roles" => vec![global("iam", "role/aws-service-role/*")],
            "load-balancing" => {
                ["loadbalancer", "listener", "listener-rule"]
                    .map(|kind| arn("elasticloadbalancing", &format!("{kind}/app/{balancer}/*")))
                    .into_iter()
                    .chain(["page", "api"].map(|kind| {
                        arn("elasticloadbalancing", &format!("targetgroup/{}/*", names.target_groups(kind)))
                    }))
                    .collect()
            }
            "logs" => [names.log_group(), names.deployments(), names.flow_logs(), names.exec_log()]
                .iter()
                .flat_map(|name| ["", ":*"].map(|end| arn("logs", &format!("log-group:{name}{end}"))))
                .collect(),
            "monitoring" => vec![
                arn("cloudwatch", &format!("alarm:{}*", names.alarms())),
                global("cloudwatch", &format!("dashboard/{}", names.dashboard())),
            ],
            "own-key" => self.own_key.iter().cloned().collect(),
            "repository" => vec![arn("ecr", &format!("repository/{}", names.repository()))],
            "flow-log-role" => vec![global("iam", &format!("role{}{}", names.role_path(), names.role("flow-log")))],
            // Web ACLs are somebody's, of any name.
            "firewall" => vec![
                arn("wafv2", "regional/webacl/*/*"),
                arn("elasticloadbalancing", &format!("loadbalancer/app/{balancer}/*")),
            ],
            // Which zone a name is in is known to AWS alone.
            "hosted-zones" => vec!["arn:aws:route53:::hostedzone/*".to_owned()],
            // The default group of our network comes without our tags, and somebody may take them from anything.
            "tagged-late" => {
                let own = ["elastic-ip", "natgateway", "route-table", "security-group", "subnet", "vpc"];
                let options = ["vpc-endpoint", "vpc-flow-log"];
                own.iter().chain(&options).map(|kind| arn("ec2", &format!("{kind}/*"))).collect()
            }
            "roles" => vec![global("iam", &format!("role{}*", names.role_path()))],
            "scaling" => vec![arn("application-autoscaling", "scalable-target/*")],
            "scaling-alarms" => vec![arn("cloudwatch", &format!("alarm:TargetTracking-service/{cluster}/{service}-*"))],
            "secret" => vec![arn("secretsmanager", &format!("secret:{}-??????", names.secret()))],
            "task-roles" => ["execution", "task"]
                .map(|kind| global("iam", &format!("role{}{}", names.role_path(), names.role(kind))))
                .into(),
            "topic" => vec![arn("sns", &names.topic())],
            _ => Vec::new(),
        }
    }

    /// The condition behind a word of the table, if it has one; tags on creation are tied to the creating operations.
    fn condition(&self, word: &str, operations: &BTreeSet<&str>) -> Option<Value> {
        let tags = |source: &str| {
            let tags = [(TAG_APP, &self.app), (TAG_ENVIRONMENT, &self.environment)];
            let tags = tags.map(|(key, value)| (format!("aws:{source}/{key}"), json!(value)));
            json!({"StringEquals": Map::from_iter(tags)})
        };
        let created = |key: &str| json!({"StringEquals": {key: operations}});
        match word {
            "ours" => Some(tags("ResourceTag")),
            "requested" => Some(tags("RequestTag")),
            "ec2-creation" => Some(created("ec2:CreateAction")),
            "ecs-creation" => Some(created("ecs:CreateAction")),
            "efs-creation" => Some(created("elasticfilesystem:CreateAction")),
            "linked-services" => Some(json!({"StringEquals": {"iam:AWSServiceName": [
                "ecs.amazonaws.com",
                "ecs.application-autoscaling.amazonaws.com",
                // EFS makes its own with the first mount target, in the caller's name.
                "elasticfilesystem.amazonaws.com",
                "elasticloadbalancing.amazonaws.com",
            ]}})),
            "our-cluster" => {
                let cluster = format!("arn:aws:ecs:{}:{}:cluster/{}", self.region, self.account, self.names.cluster());
                Some(json!({"ArnEquals": {"ecs:cluster": cluster}}))
            }
            "passed-to-tasks" => Some(json!({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}})),
            "passed-to-flow-logs" => {
                Some(json!({"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}))
            }
            "through-services" => {
                let services = ["ecr", "elasticfilesystem", "secretsmanager"];
                let services = services.map(|service| format!("{service}.{}.amazonaws.com", self.region));
                Some(json!({"StringEquals": {"kms:ViaService": services}}))
            }
            "tasks-of-a-service" => Some(json!({"StringEquals": {
                "application-autoscaling:service-namespace": "ecs",
                "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
            }})),
            _ => None,
        }
    }
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// How long all policies within a role may be together.
pub const ROLE_LIMIT: usize = 10_240;
/// How long a policy of its own may be.
pub const POLICY_LIMIT: usize = 6_144;

#[cfg(test)]
mod tests {
    use config::deployment::ConfigSource;

    use super::*;

    fn place() -> Place {
        let mut deployment = Deployment::load(&ConfigSource::Environment("production".to_owned()), &[]).unwrap();
        // As long as a name may be.
        deployment.app = "a-name-of-forty-characters-0123456789abc".to_owned();
        let key = "arn:aws:kms:ap-northeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        deployment.encryption.kms_key_arn = Some(key.to_owned());
        Place::of(&deployment, "123456789012")
    }

    #[test]
    fn every_line_says_what_it_is_about() {
        let place = place();
        for line in all().into_iter().filter(|line| !line.actions.is_empty()) {
            assert!(!place.resources(line.resource).is_empty(), "{line:?}");
            let condition = place.condition(line.condition, &BTreeSet::from(["CreateVpc"]));
            assert_eq!(condition.is_some(), !line.condition.is_empty(), "{line:?}");
            assert!(line.actions.iter().all(|action| action.contains(':') && !action.contains('*')), "{line:?}");
        }
    }

    #[test]
    fn the_policies_fit_where_they_are_put() {
        let pipeline = place().policies(Who::Pipeline, ROLE_LIMIT);
        assert_eq!(pipeline.len(), 1, "the role of a pipeline takes one: {}", pipeline[0].to_string().len());
        let operator = place().policies(Who::Operator, POLICY_LIMIT);
        assert!(operator.len() <= 3, "{}", operator.len());
        assert!(operator.iter().all(|document| document.to_string().len() <= POLICY_LIMIT));
    }

    #[test]
    fn a_pipeline_writes_no_role_reads_no_secret_and_makes_or_removes_no_network() {
        let text = place().policies(Who::Pipeline, ROLE_LIMIT)[0].to_string();
        let never = [
            "iam:Put",
            "iam:Create",
            "iam:Update",
            "iam:Attach",
            "GetSecretValue",
            "CreateVpc",
            "DeleteVpc",
            "ec2:CreateTags",
            "ModifyNetworkInterface",
        ];
        for part in never {
            assert!(!text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("\"iam:PassedToService\":\"ecs-tasks.amazonaws.com\""));
    }

    #[test]
    fn a_key_is_used_only_where_there_is_one_and_only_through_services() {
        let with = place().policies(Who::Operator, usize::MAX)[0].clone();
        let of_key = |policy: &Value| {
            let statements = policy["Statement"].as_array().unwrap().clone().into_iter();
            statements.filter(|it| it["Action"].to_string().contains("kms:Decrypt")).collect::<Vec<_>>()
        };
        let [statement] = &of_key(&with)[..] else { panic!("{with}") };
        assert!(statement["Condition"]["StringEquals"]["kms:ViaService"].to_string().contains("secretsmanager."));
        assert!(!place().policies(Who::Pipeline, usize::MAX)[0].to_string().contains("kms:"));
        let without = Place { own_key: None, ..place() }.policies(Who::Operator, usize::MAX);
        assert!(of_key(&without[0]).is_empty(), "{}", without[0]);
    }

    #[test]
    fn only_a_visitor_runs_commands_in_tasks_and_a_visitor_does_nothing_else() {
        for who in [Who::Pipeline, Who::Operator] {
            assert!(!place().policies(who, POLICY_LIMIT).iter().any(|it| it.to_string().contains("ExecuteCommand")));
        }
        let statements = place().statements(Who::Visitor);
        let actions = statements.iter().flat_map(|it| it["Action"].as_array().unwrap());
        let actions: BTreeSet<_> = actions.map(|it| it.as_str().unwrap()).collect();
        let mut all =
            BTreeSet::from(["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ExecuteCommand", "ecs:ListTasks"]);
        let without_key = Place { own_key: None, ..place() }.statements(Who::Visitor);
        assert!(!without_key.iter().any(|it| it.to_string().contains("kms:")), "{without_key:?}");
        // The plugin asks for the session's key in its own name, and not through a service.
        all.insert("kms:GenerateDataKey");
        assert_eq!(actions, all);
        let entering = statements.iter().find(|it| it.to_string().contains("ExecuteCommand")).unwrap();
        let on = entering["Resource"].as_array().unwrap();
        // AWS asks for the cluster and for the task.
        for part in [":cluster/", ":task/"] {
            assert!(on.iter().any(|it| it.as_str().unwrap().contains(part)), "{part} in {on:?}");
        }
        assert!(on.iter().all(|it| it.as_str().unwrap().contains("123456789012")), "{on:?}");
    }

    #[test]
    fn questions_are_about_things_that_the_policies_name_and_leave_nothing_out() {
        let place = place();
        let questions = place.questions();
        for question in &questions {
            assert!(question.things.iter().all(|thing| !thing.contains(['*', '?'])), "{question:?}");
            assert!(question.circumstances.iter().all(|(_, value)| !value.is_empty()), "{question:?}");
        }
        let asked: BTreeSet<_> = questions.iter().flat_map(|question| question.actions.clone()).collect();
        let lines = all().into_iter().filter(|line| line.who != Who::Visitor);
        let given: BTreeSet<_> = lines.flat_map(|line| line.actions).collect();
        assert_eq!(asked, given);
    }

    #[test]
    fn tags_are_given_only_while_something_is_made() {
        let statements = place().statements(Who::Operator);
        let tagging = statements.iter().find(|it| it["Action"] == json!(["ec2:CreateTags"])).unwrap();
        let made = &tagging["Condition"]["StringEquals"]["ec2:CreateAction"];
        assert_eq!(
            *made,
            json!([
                "AllocateAddress",
                "CreateFlowLogs",
                "CreateInternetGateway",
                "CreateNatGateway",
                "CreateRouteTable",
                "CreateSecurityGroup",
                "CreateSubnet",
                "CreateVpc",
                "CreateVpcEndpoint"
            ])
        );
    }
}
