//! Tags and descriptions, where the emulator forgets them or does not show them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text;
use crate::answer::Answer;
use crate::call::Call;

/// The tags of things, by ARN or name, in the form in which their service shows them.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    json: BTreeMap<String, Value>,
    xml: BTreeMap<String, String>,
    descriptions: BTreeMap<String, String>,
    /// What each cluster was told last.
    settings: BTreeMap<String, Value>,
    /// How sessions in the tasks of each cluster are written down.
    configurations: BTreeMap<String, Value>,
}

impl Forgotten {
    pub(super) fn observe(&mut self, call: &Call, answer: &mut Answer) {
        let json = |path: &str| text(answer.value().pointer(path).unwrap_or(&Value::Null));
        match call.operation.as_str() {
            "CreateCluster" => {
                self.learn(json("/cluster/clusterArn"), call);
                self.learn_cluster(&json("/cluster/clusterArn"), call);
                // A name that is used again is another cluster; the emulator thinks of the old one.
                answer.edit(|body| body["cluster"]["status"] = serde_json::json!("ACTIVE"));
            }
            "UpdateCluster" => self.learn_cluster(&json("/cluster/clusterArn"), call),
            "DeleteCluster" => {
                self.settings.remove(&json("/cluster/clusterArn"));
                self.configurations.remove(&json("/cluster/clusterArn"));
            }
            "DescribeClusters" => {
                self.show(answer, "clusters", "clusterArn");
                self.show_settings(answer, call);
            }
            "CreateRepository" => self.learn(json("/repository/repositoryArn"), call),
            "TagResource" if call.service == "ecr" => self.learn(call.text("resourceArn").to_owned(), call),
            "UntagResource" if ["ecr", "ecs"].contains(&call.service.as_str()) => {
                self.untag(call.text("resourceArn"), call);
            }
            "ListTagsForResource" if call.service == "ecr" => {
                let tags = self.json.get(call.text("resourceArn")).cloned();
                answer.edit(|body| body["tags"] = tags.unwrap_or_default());
            }
            "CreateRole" => {
                self.xml.insert(call.text("RoleName").to_owned(), query(call));
                self.describe(call);
            }
            "UpdateRole" => self.describe(call),
            "GetRole" => self.show_role(call, answer),
            "ListRoles" => self.show_descriptions(answer),
            "CreateLoadBalancer" => self.learn_xml("LoadBalancerArn", call, answer),
            "CreateTargetGroup" => self.learn_xml("TargetGroupArn", call, answer),
            "CreateListener" => self.learn_xml("ListenerArn", call, answer),
            "CreateRule" => self.learn_xml("RuleArn", call, answer),
            _ => (),
        }
    }

    fn untag(&mut self, arn: &str, call: &Call) {
        let keys: Vec<_> = call.fields["tagKeys"].as_array().into_iter().flatten().map(text).collect();
        if let Some(tags) = self.json.get_mut(arn).and_then(Value::as_array_mut) {
            tags.retain(|tag| !keys.contains(&text(&tag[if call.service == "ecr" { "Key" } else { "key" }])));
        }
    }

    /// Adds tags to something of load balancing, or takes them away.
    pub(super) fn retag(&mut self, call: &Call) {
        let tags = self.xml.entry(call.text("ResourceArns.member.1").to_owned()).or_default();
        for key in call.list("TagKeys.member") {
            let start = tags.find(&format!("<member><Key>{key}</Key>"));
            let end = start.and_then(|start| Some(start + tags[start..].find("</member>")? + "</member>".len()));
            if let (Some(start), Some(end)) = (start, end) {
                tags.replace_range(start..end, "");
            }
        }
        tags.push_str(&query(call));
    }

    fn describe(&mut self, call: &Call) {
        self.descriptions.insert(call.text("RoleName").to_owned(), call.text("Description").to_owned());
    }

    fn show_role(&self, call: &Call, answer: &mut Answer) {
        let name = call.text("RoleName");
        let (Some(tags), Some(description)) = (self.xml.get(name), self.descriptions.get(name)) else { return };
        let shown = format!("<Description>{description}</Description><Tags>{tags}</Tags></Role>");
        answer.body = answer.body.replace("</Role>", &shown);
    }

    /// A list tells the descriptions of roles, but not their tags.
    fn show_descriptions(&self, answer: &mut Answer) {
        for (name, description) in &self.descriptions {
            let name = format!("<RoleName>{name}</RoleName>");
            let both = format!("{name}<Description>{description}</Description>");
            answer.body = answer.body.replace(&name, &both);
        }
    }

    fn learn(&mut self, arn: String, call: &Call) {
        self.json.insert(arn, call.fields["tags"].clone());
    }

    /// A repeated creation of the same thing changes no tags.
    fn learn_xml(&mut self, element: &str, call: &Call, answer: &Answer) {
        self.xml.entry(answer.element(element).to_owned()).or_insert_with(|| query(call));
    }

    fn show(&self, answer: &mut Answer, list: &str, arn: &str) {
        answer.edit(|body| {
            for found in body[list].as_array_mut().into_iter().flatten() {
                if let Some(tags) = self.json.get(&text(&found[arn])) {
                    found["tags"] = tags.clone();
                }
            }
        });
    }

    /// What a call does not say stays as it is.
    fn learn_cluster(&mut self, arn: &str, call: &Call) {
        for (field, known) in [("settings", &mut self.settings), ("configuration", &mut self.configurations)] {
            if !call.fields[field].is_null() {
                known.insert(arn.to_owned(), call.fields[field].clone());
            }
        }
    }

    fn show_settings(&self, answer: &mut Answer, call: &Call) {
        let asked = |part: &str| call.fields["include"].as_array().is_some_and(|all| all.contains(&part.into()));
        answer.edit(|body| {
            for cluster in body["clusters"].as_array_mut().into_iter().flatten() {
                if let Some(settings) = self.settings.get(&text(&cluster["clusterArn"])) {
                    cluster["settings"] = settings.clone();
                    cluster["status"] = serde_json::json!("ACTIVE");
                }
                let configuration = self.configurations.get(&text(&cluster["clusterArn"]));
                if let Some(configuration) = configuration.filter(|_| asked("CONFIGURATIONS")) {
                    cluster["configuration"] = configuration.clone();
                }
            }
        });
    }

    /// Answers `DescribeTags` of load balancing.
    pub(super) fn of_load_balancing(&self, call: &Call) -> Answer {
        let described = call.list("ResourceArns.member").into_iter().map(|arn| {
            let tags = self.xml.get(arn).map(String::as_str).unwrap_or_default();
            format!("<member><ResourceArn>{arn}</ResourceArn><Tags>{tags}</Tags></member>")
        });
        Answer::xml(format!(
            "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions>{}</TagDescriptions>\
             </DescribeTagsResult></DescribeTagsResponse>",
            described.collect::<String>()
        ))
    }
}

/// The tags of a query service's creation, as XML members.
fn query(call: &Call) -> String {
    let tags = (1..).map_while(|index| {
        let key = call.fields[format!("Tags.member.{index}.Key")].as_str()?;
        let value = call.text(&format!("Tags.member.{index}.Value"));
        Some(format!("<member><Key>{key}</Key><Value>{value}</Value></member>"))
    });
    tags.collect()
}
