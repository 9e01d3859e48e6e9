//! Security groups and their rules, in full: the emulator loses descriptions and the groups that rules name.

use std::collections::BTreeMap;

use super::World;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::xml::{self, Fields};

/// A security group.
#[derive(Clone, Debug)]
pub struct SecurityGroup {
    /// Its network.
    pub vpc: String,
    /// Its name.
    pub name: String,
    description: String,
    tags: BTreeMap<String, String>,
    /// Its rules by identifier.
    pub rules: BTreeMap<String, Rule>,
}

/// A rule of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    egress: bool,
    protocol: String,
    from: String,
    to: String,
    /// A block of addresses, of either version.
    cidr: String,
    /// The group that it names.
    pub group: String,
    description: String,
}

impl Rule {
    /// Whether AWS takes it for the same rule: the description does not matter.
    pub fn is_like(&self, other: &Self) -> bool {
        Self { description: String::new(), ..self.clone() } == Self { description: String::new(), ..other.clone() }
    }
}

/// All of them by identifier.
#[derive(Debug, Default)]
pub struct SecurityGroups {
    /// The groups.
    pub all: BTreeMap<String, SecurityGroup>,
    made: u64,
}

impl SecurityGroups {
    fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}-{:017x}", self.made)
    }
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let groups = &mut world.security_groups;
    Some(match call.operation.as_str() {
        "CreateSecurityGroup" => Ok(create(groups, call)),
        "DescribeSecurityGroups" => Ok(describe(groups, call)),
        "DeleteSecurityGroup" => delete(groups, call),
        "DescribeSecurityGroupRules" => Ok(describe_rules(groups, call)),
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => authorize(groups, call),
        "ModifySecurityGroupRules" => modify(groups, call),
        "DeleteTags" if groups.all.contains_key(call.text("ResourceId.1")) => Ok(untag(groups, call)),
        "CreateTags" if groups.all.contains_key(call.text("ResourceId.1")) => Ok(tag(groups, call)),
        "RevokeSecurityGroupIngress" | "RevokeSecurityGroupEgress" => revoke(groups, call),
        _ => return None,
    })
}

/// With a network comes a group, and goes with it.
pub(super) fn observe(groups: &mut SecurityGroups, call: &Call, answer: &Answer) {
    match call.operation.as_str() {
        "CreateVpc" => {
            let id = groups.id("sg");
            let inward = Rule { egress: false, cidr: String::new(), group: id.clone(), ..everywhere() };
            let rules = [inward, everywhere()].map(|rule| (groups.id("sgr"), rule)).into();
            let group = SecurityGroup {
                vpc: answer.element("vpcId").to_owned(),
                name: "default".to_owned(),
                description: "default VPC security group".to_owned(),
                tags: BTreeMap::new(),
                rules,
            };
            groups.all.insert(id, group);
        }
        "DeleteVpc" => groups.all.retain(|_, group| group.name != "default" || group.vpc != call.text("VpcId")),
        _ => (),
    }
}

/// AWS gives every new group this rule, wanted or not.
fn everywhere() -> Rule {
    Rule {
        egress: true,
        protocol: "-1".to_owned(),
        from: "-1".to_owned(),
        to: "-1".to_owned(),
        cidr: "0.0.0.0/0".to_owned(),
        group: String::new(),
        description: String::new(),
    }
}

fn tag(groups: &mut SecurityGroups, call: &Call) -> Answer {
    let group = groups.all.get_mut(call.text("ResourceId.1")).expect("it was asked for a moment ago");
    for index in 1.. {
        let at = |part: &str| call.fields[format!("Tag.{index}.{part}")].as_str().map(ToOwned::to_owned);
        let (Some(key), Some(value)) = (at("Key"), at("Value")) else { break };
        group.tags.insert(key, value);
    }
    Answer::xml("<CreateTagsResponse><return>true</return></CreateTagsResponse>")
}

fn untag(groups: &mut SecurityGroups, call: &Call) -> Answer {
    let group = groups.all.get_mut(call.text("ResourceId.1")).expect("it was asked for a moment ago");
    for key in (1..).map_while(|index| call.fields[format!("Tag.{index}.Key")].as_str()) {
        group.tags.remove(key);
    }
    Answer::xml("<DeleteTagsResponse><return>true</return></DeleteTagsResponse>")
}

fn create(groups: &mut SecurityGroups, call: &Call) -> Answer {
    let id = groups.id("sg");
    let tags = (1..).map_while(|index| {
        let at =
            |part: &str| call.fields[format!("TagSpecification.1.Tag.{index}.{part}")].as_str().map(ToOwned::to_owned);
        Some((at("Key")?, at("Value")?))
    });
    let rule = groups.id("sgr");
    let group = SecurityGroup {
        vpc: call.text("VpcId").to_owned(),
        name: call.text("GroupName").to_owned(),
        description: call.text("GroupDescription").to_owned(),
        tags: tags.collect(),
        rules: BTreeMap::from([(rule, everywhere())]),
    };
    groups.all.insert(id.clone(), group);
    Answer::xml(format!("<CreateSecurityGroupResponse><groupId>{id}</groupId></CreateSecurityGroupResponse>"))
}

fn describe(groups: &SecurityGroups, call: &Call) -> Answer {
    let filters = super::network::filters(call);
    let matches = |id: &str, group: &SecurityGroup| {
        filters.iter().all(|(name, values)| match (name.strip_prefix("tag:"), *name) {
            (Some(key), _) => group.tags.get(key).is_some_and(|value| values.contains(&value.as_str())),
            (None, "group-id") => values.contains(&id),
            (None, "vpc-id") => values.contains(&group.vpc.as_str()),
            (None, "group-name") => values.contains(&group.name.as_str()),
            _ => panic!("the simulation must learn the filter {name} of DescribeSecurityGroups"),
        })
    };
    let found = groups.all.iter().filter(|(id, group)| matches(id, group)).map(|(id, group)| {
        let mut fields = Fields::from([
            ("groupId".to_owned(), id.clone()),
            ("groupName".to_owned(), group.name.clone()),
            ("groupDescription".to_owned(), group.description.clone()),
            ("vpcId".to_owned(), group.vpc.clone()),
        ]);
        for (index, (key, value)) in group.tags.iter().enumerate() {
            fields.insert(format!("tagSet.item.{index}.key"), key.clone());
            fields.insert(format!("tagSet.item.{index}.value"), value.clone());
        }
        for (index, rule) in group.rules.values().enumerate() {
            let list = if rule.egress { "ipPermissionsEgress" } else { "ipPermissions" };
            let mut put =
                |part: &str, text: &str| fields.insert(format!("{list}.item.{index}.{part}"), text.to_owned());
            put("ipProtocol", &rule.protocol);
            put("fromPort", &rule.from);
            put("toPort", &rule.to);
            let (peer, field, value) = match rule.group.as_str() {
                "" if rule.cidr.contains("::") => ("ipv6Ranges", "cidrIpv6", rule.cidr.as_str()),
                "" => ("ipRanges", "cidrIp", rule.cidr.as_str()),
                group => ("groups", "groupId", group),
            };
            put(&format!("{peer}.item.0.{field}"), value);
            if !rule.description.is_empty() {
                put(&format!("{peer}.item.0.description"), &rule.description);
            }
        }
        format!("<item>{}</item>", xml::elements(&fields))
    });
    Answer::xml(format!(
        "<DescribeSecurityGroupsResponse><securityGroupInfo>{}</securityGroupInfo></DescribeSecurityGroupsResponse>",
        found.collect::<String>()
    ))
}

fn missing(id: &str) -> Refusal {
    Refusal::new("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

fn delete(groups: &mut SecurityGroups, call: &Call) -> Result<Answer, Refusal> {
    let id = call.text("GroupId");
    groups.all.remove(id).ok_or_else(|| missing(id))?;
    Ok(Answer::xml("<DeleteSecurityGroupResponse><return>true</return></DeleteSecurityGroupResponse>"))
}

fn item(group: &str, id: &str, rule: &Rule) -> String {
    let mut fields = Fields::from([
        ("securityGroupRuleId".to_owned(), id.to_owned()),
        ("groupId".to_owned(), group.to_owned()),
        ("isEgress".to_owned(), rule.egress.to_string()),
        ("ipProtocol".to_owned(), rule.protocol.clone()),
        ("fromPort".to_owned(), rule.from.clone()),
        ("toPort".to_owned(), rule.to.clone()),
        ("description".to_owned(), rule.description.clone()),
    ]);
    let peer = match rule.group.as_str() {
        "" if rule.cidr.contains("::") => ("cidrIpv6", &rule.cidr),
        "" => ("cidrIpv4", &rule.cidr),
        _ => ("referencedGroupInfo.groupId", &rule.group),
    };
    fields.insert(peer.0.to_owned(), peer.1.clone());
    fields.retain(|_, text| !text.is_empty());
    format!("<item>{}</item>", xml::elements(&fields))
}

fn describe_rules(groups: &SecurityGroups, call: &Call) -> Answer {
    let wanted: Vec<_> = super::network::filters(call).into_iter().flat_map(|(_, values)| values).collect();
    let found = groups.all.iter().filter(|(id, _)| wanted.contains(&id.as_str()));
    let items = found.flat_map(|(id, group)| group.rules.iter().map(move |(rule_id, rule)| item(id, rule_id, rule)));
    Answer::xml(format!(
        "<DescribeSecurityGroupRulesResponse><securityGroupRuleSet>{}</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>",
        items.collect::<String>()
    ))
}

/// The rules that a call asks for.
pub(crate) fn asked(call: &Call) -> Vec<Rule> {
    let mut rules = Vec::new();
    for index in 1.. {
        let at = |name: &str| call.text(&format!("IpPermissions.{index}.{name}")).to_owned();
        if at("IpProtocol").is_empty() {
            break;
        }
        let peers = (1..).map_while(|peer| {
            let cidrs = [at(&format!("IpRanges.{peer}.CidrIp")), at(&format!("Ipv6Ranges.{peer}.CidrIpv6"))];
            let cidr = cidrs.concat();
            let group = at(&format!("Groups.{peer}.GroupId"));
            let description =
                [at(&format!("IpRanges.{peer}.Description")), at(&format!("Groups.{peer}.Description"))].concat();
            (!cidr.is_empty() || !group.is_empty()).then_some((cidr, group, description))
        });
        rules.extend(peers.map(|(cidr, group, description)| Rule {
            egress: call.operation.ends_with("Egress"),
            protocol: at("IpProtocol"),
            from: at("FromPort"),
            to: at("ToPort"),
            cidr,
            group,
            description,
        }));
    }
    rules
}

fn authorize(groups: &mut SecurityGroups, call: &Call) -> Result<Answer, Refusal> {
    let id = call.text("GroupId");
    let rules = asked(call);
    if let Some(rule) = rules.iter().find(|rule| !rule.group.is_empty() && !groups.all.contains_key(&rule.group)) {
        return Err(missing(&rule.group));
    }
    let mut items = String::new();
    for rule in rules {
        let rule_id = groups.id("sgr");
        items.push_str(&item(id, &rule_id, &rule));
        groups.all.get_mut(id).ok_or_else(|| missing(id))?.rules.insert(rule_id, rule);
    }
    let operation = &call.operation;
    Ok(Answer::xml(format!(
        "<{operation}Response><return>true</return><securityGroupRuleSet>{items}</securityGroupRuleSet></{operation}Response>"
    )))
}

/// Replaces a rule as a whole, under its identifier; what is left out of it is gone.
fn modify(groups: &mut SecurityGroups, call: &Call) -> Result<Answer, Refusal> {
    let id = call.text("GroupId");
    let group = groups.all.get_mut(id).ok_or_else(|| missing(id))?;
    for index in 1.. {
        let rule_id = call.text(&format!("SecurityGroupRule.{index}.SecurityGroupRuleId"));
        if rule_id.is_empty() {
            break;
        }
        let at = |part: &str| call.text(&format!("SecurityGroupRule.{index}.SecurityGroupRule.{part}")).to_owned();
        let Some(rule) = group.rules.get_mut(rule_id) else {
            let message = format!("The security group rule ID '{rule_id}' does not exist");
            return Err(Refusal::new("InvalidSecurityGroupRuleId.NotFound", message));
        };
        let port = |part: &str| if at(part).is_empty() { "-1".to_owned() } else { at(part) };
        *rule = Rule {
            egress: rule.egress,
            protocol: at("IpProtocol"),
            from: port("FromPort"),
            to: port("ToPort"),
            cidr: [at("CidrIpv4"), at("CidrIpv6")].concat(),
            group: at("ReferencedGroupId"),
            description: at("Description"),
        };
    }
    Ok(Answer::xml("<ModifySecurityGroupRulesResponse><return>true</return></ModifySecurityGroupRulesResponse>"))
}

fn revoke(groups: &mut SecurityGroups, call: &Call) -> Result<Answer, Refusal> {
    let id = call.text("GroupId");
    let group = groups.all.get_mut(id).ok_or_else(|| missing(id))?;
    for rule in call.list("SecurityGroupRuleId") {
        if group.rules.remove(rule).is_none() {
            let message = format!("The security group rule ID '{rule}' does not exist");
            return Err(Refusal::new("InvalidSecurityGroupRuleId.NotFound", message));
        }
    }
    let operation = &call.operation;
    Ok(Answer::xml(format!("<{operation}Response><return>true</return></{operation}Response>")))
}
