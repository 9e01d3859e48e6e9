//! The account itself: who calls, what they may do, and how much of everything there may be.

use super::World;
use crate::answer::{Answer, Refusal};
use crate::call::{Call, Protocol};

/// Who calls, and what the account is given.
#[derive(Clone, Debug)]
pub struct Account {
    /// The caller's ARN.
    pub caller: String,
    /// The ARN of the caller's role, with its path, if the caller took one.
    pub role: Option<String>,
    /// How many roles there may be.
    pub most_roles: usize,
    /// How many load balancers there may be.
    pub most_load_balancers: usize,
    /// Whether the caller's clock is wrong by more than AWS takes.
    pub clock_is_wrong: bool,
    /// Whether the caller's sign-in is over.
    pub sign_in_is_over: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            caller: format!("arn:aws:iam::{}:user/moto", crate::ACCOUNT),
            role: None,
            most_roles: 1000,
            most_load_balancers: 50,
            clock_is_wrong: false,
            sign_in_is_over: false,
        }
    }
}

impl Account {
    /// Lets somebody call who took a role.
    pub fn take_role(&mut self, path: &str, name: &str) {
        self.caller = format!("arn:aws:sts::{}:assumed-role/{name}/somebody", crate::ACCOUNT);
        self.role = Some(format!("arn:aws:iam::{}:role{path}{name}", crate::ACCOUNT));
    }
}

pub(super) fn answer(world: &World, call: &Call) -> Option<Result<Answer, Refusal>> {
    if world.account.clock_is_wrong {
        return Some(Err(of_another_time()));
    }
    if world.account.sign_in_is_over {
        return Some(Err(of_an_expired_sign_in(call)));
    }
    let answer = match (call.service.as_str(), call.operation.as_str()) {
        ("sts", "GetCallerIdentity") => identity(&world.account),
        ("sts", "AssumeRoleWithWebIdentity") => credentials(call),
        ("iam", "GetRole") => role(&world.account, call)?,
        ("iam", "GetAccountSummary") => summary(world),
        ("iam", "SimulatePrincipalPolicy") => return Some(simulate(world, call)),
        ("elasticloadbalancing", "DescribeAccountLimits") => limits(&world.account),
        _ => return None,
    };
    Some(Ok(answer))
}

/// As the security token service says it; the moments are of no consequence.
fn of_another_time() -> Refusal {
    let message =
        "Signature expired: 20260101T000000Z is now earlier than 20260101T004500Z (20260101T010000Z - 15 min.)";
    Refusal { status: 403, ..Refusal::new("SignatureDoesNotMatch", message) }
}

/// Each service has a word of its own for it.
fn of_an_expired_sign_in(call: &Call) -> Refusal {
    let (status, code, message) = match (call.service.as_str(), call.protocol()) {
        ("ec2", _) => (400, "RequestExpired", "Request has expired."),
        (_, Protocol::Query | Protocol::RestXml) => {
            (403, "ExpiredToken", "The security token included in the request is expired")
        }
        _ => (400, "ExpiredTokenException", "The security token included in the request is expired"),
    };
    Refusal { status, ..Refusal::new(code, message) }
}

fn result(operation: &str, body: &str) -> Answer {
    Answer::xml(format!("<{operation}Response><{operation}Result>{body}</{operation}Result></{operation}Response>"))
}

fn identity(account: &Account) -> Answer {
    let (arn, number) = (&account.caller, crate::ACCOUNT);
    result("GetCallerIdentity", &format!("<Arn>{arn}</Arn><UserId>AIDASIMULATED</UserId><Account>{number}</Account>"))
}

/// For a role's session; the moments are of no consequence.
fn credentials(call: &Call) -> Answer {
    let name = call.text("RoleArn").rsplit('/').next().unwrap_or_default();
    let session = call.text("RoleSessionName");
    let body = format!(
        "<Credentials><AccessKeyId>ASIASIMULATED</AccessKeyId><SecretAccessKey>simulated</SecretAccessKey>\
         <SessionToken>simulated</SessionToken><Expiration>2027-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROASIMULATED:{session}</AssumedRoleId>\
         <Arn>arn:aws:sts::{}:assumed-role/{name}/{session}</Arn></AssumedRoleUser>",
        crate::ACCOUNT
    );
    result("AssumeRoleWithWebIdentity", &body)
}

/// The role that the caller took.
fn role(account: &Account, call: &Call) -> Option<Answer> {
    let arn = account.role.as_deref()?;
    let (path, name) = arn.split_once(":role")?.1.rsplit_once('/')?;
    (name == call.text("RoleName")).then(|| {
        let role = format!(
            "<Role><Path>{path}/</Path><RoleName>{name}</RoleName><RoleId>AROASIMULATED</RoleId><Arn>{arn}</Arn>\
             <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>"
        );
        result("GetRole", &role)
    })
}

fn summary(world: &World) -> Answer {
    let roles = world.roles.len() + usize::from(world.account.role.is_some());
    let entries = [("Roles", roles), ("RolesQuota", world.account.most_roles)];
    let entries = entries.map(|(key, value)| format!("<entry><key>{key}</key><value>{value}</value></entry>"));
    result("GetAccountSummary", &format!("<SummaryMap>{}</SummaryMap>", entries.concat()))
}

fn limits(account: &Account) -> Answer {
    let limits = [("application-load-balancers", account.most_load_balancers), ("target-groups", 3000)];
    let limits = limits.map(|(name, most)| format!("<member><Name>{name}</Name><Max>{most}</Max></member>"));
    result("DescribeAccountLimits", &format!("<Limits>{}</Limits>", limits.concat()))
}

/// What the caller's policy allows, action by action and thing by thing.
fn simulate(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let source = call.text("PolicySourceArn");
    let kinds = [":user/", ":role/", ":group/"];
    if !source.starts_with("arn:aws:iam::") || !kinds.iter().any(|kind| source.contains(kind)) {
        let message = format!("Invalid Entity Arn: {source} does not clearly define entity type and name.");
        return Err(Refusal::new("InvalidInput", message));
    }
    if source != world.account.role.as_deref().unwrap_or(&world.account.caller) {
        let name = source.rsplit('/').next().unwrap_or_default();
        let message = format!("The role with name {name} cannot be found.");
        return Err(Refusal { status: 404, ..Refusal::new("NoSuchEntity", message) });
    }
    let things = call.list("ResourceArns.member");
    let things = if things.is_empty() { vec!["*"] } else { things };
    let entry = |index: u32| {
        let of = |part: &str| call.fields[format!("ContextEntries.member.{index}.{part}")].as_str();
        Some((of("ContextKeyName")?.to_owned(), of("ContextKeyValues.member.1")?.to_owned()))
    };
    let circumstances: Vec<_> = (1..).map_while(entry).collect();
    let decision = |action: &str, thing: &str| {
        let allowed = world.policy.as_ref().is_none_or(|policy| policy.allows_on(action, thing, &circumstances));
        if allowed { "allowed" } else { "implicitDeny" }
    };
    let results = call.list("ActionNames.member").into_iter().map(|action| {
        let decisions: Vec<_> = things.iter().map(|thing| (*thing, decision(action, thing))).collect();
        // Over several things the strictest counts.
        let all = if decisions.iter().all(|(_, it)| *it == "allowed") { "allowed" } else { "implicitDeny" };
        let specific = decisions.iter().map(|(thing, decision)| {
            format!(
                "<member><EvalResourceName>{thing}</EvalResourceName><EvalResourceDecision>{decision}\
                 </EvalResourceDecision></member>"
            )
        });
        format!(
            "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>*</EvalResourceName>\
             <EvalDecision>{all}</EvalDecision><ResourceSpecificResults>{}</ResourceSpecificResults></member>",
            specific.collect::<String>()
        )
    });
    Ok(page("SimulatePrincipalPolicy", "EvaluationResults", &results.collect::<Vec<_>>(), call))
}

/// How many results an answer holds, if nobody says otherwise.
const PAGE: usize = 100;

/// One page of a long answer; the marker is where it goes on.
fn page(operation: &str, list: &str, all: &[String], call: &Call) -> Answer {
    let begin = call.text("Marker").parse().unwrap_or(0).min(all.len());
    let end = (begin + call.text("MaxItems").parse().unwrap_or(PAGE)).min(all.len());
    let more = if end < all.len() {
        format!("<IsTruncated>true</IsTruncated><Marker>{end}</Marker>")
    } else {
        "<IsTruncated>false</IsTruncated>".to_owned()
    };
    result(operation, &format!("<{list}>{}</{list}>{more}", all[begin..end].concat()))
}
