//! Which language models may choose among the pairs that the rules leave, if any.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::reader::Reader;

/// Who runs the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// `OpenAI`, or any server that speaks its chat protocol.
    OpenAi,
    /// Google Gemini.
    Gemini,
    /// Anthropic Claude.
    Anthropic,
}

/// What the settings of one provider are called, and what they are when nobody sets them.
struct Known {
    provider: Provider,
    word: &'static str,
    key: &'static str,
    base_url_variable: &'static str,
    base_url: &'static str,
    model_variable: &'static str,
    model: &'static str,
}

const KNOWN: [Known; 3] = [
    Known {
        provider: Provider::OpenAi,
        word: "openai",
        key: "OPENAI_API_KEY",
        base_url_variable: "OPENAI_BASE_URL",
        base_url: "https://api.openai.com/v1",
        model_variable: "OPENAI_MODEL",
        model: "gpt-4o-mini",
    },
    Known {
        provider: Provider::Gemini,
        word: "gemini",
        key: "GEMINI_API_KEY",
        base_url_variable: "GEMINI_BASE_URL",
        base_url: "https://generativelanguage.googleapis.com/v1beta",
        model_variable: "GEMINI_MODEL",
        model: "gemini-2.5-flash",
    },
    Known {
        provider: Provider::Anthropic,
        word: "anthropic",
        key: "ANTHROPIC_API_KEY",
        base_url_variable: "ANTHROPIC_BASE_URL",
        base_url: "https://api.anthropic.com/v1",
        model_variable: "ANTHROPIC_MODEL",
        model: "claude-haiku-4-5",
    },
];

impl Provider {
    fn known(self) -> &'static Known {
        KNOWN.iter().find(|known| known.provider == self).expect("every provider is in the table")
    }

    /// Its name in settings, questions and answers.
    pub fn word(self) -> &'static str {
        self.known().word
    }

    /// The name of its key.
    pub fn key(self) -> &'static str {
        self.known().key
    }
}

/// What a model costs for a million tokens, in dollars.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Price {
    model: String,
    /// Sent.
    #[serde(rename = "input_usd_per_million")]
    pub input: f64,
    /// Come back.
    #[serde(rename = "output_usd_per_million")]
    pub output: f64,
}

static PRICES: LazyLock<Vec<Price>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_str!("../data/llm_prices.csv").as_bytes());
    reader.deserialize().collect::<Result<_, _>>().expect("the built-in table of prices is checked by a test")
});

/// The price of a model, if it is in the dated table.
pub fn price(model: &str) -> Option<&'static Price> {
    PRICES.iter().find(|price| price.model == model)
}

/// The variables of this part of the settings.
pub(crate) const VARIABLES: [&str; 8] = [
    "LLM_PROVIDERS",
    "LLM_TIMEOUT_SECONDS",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "GEMINI_BASE_URL",
    "GEMINI_MODEL",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_MODEL",
];

/// The language models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Llm {
    /// Who is asked, the preferred one first; empty when the rules choose alone.
    pub providers: Vec<Provider>,
    /// How long one of them may take.
    pub timeout: Duration,
    /// Addresses, up to and including the version, where they are not the public ones.
    pub base_urls: BTreeMap<Provider, String>,
    /// Models, where they are not the usual ones.
    pub models: BTreeMap<Provider, String>,
}

const TIMEOUT_SECONDS: u64 = 8;

impl Default for Llm {
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            timeout: Duration::from_secs(TIMEOUT_SECONDS),
            base_urls: BTreeMap::new(),
            models: BTreeMap::new(),
        }
    }
}

impl Llm {
    /// The address of a provider.
    pub fn base_url(&self, provider: Provider) -> &str {
        self.base_urls.get(&provider).map_or(provider.known().base_url, String::as_str)
    }

    /// The model of a provider.
    pub fn model(&self, provider: Provider) -> &str {
        self.models.get(&provider).map_or(provider.known().model, String::as_str)
    }

    /// Reads `openai,gemini`.
    pub(crate) fn read_providers(reader: &mut Reader, key: &str) -> Vec<Provider> {
        let mut providers = Vec::new();
        for word in reader.optional(key).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match KNOWN.iter().find(|known| known.word == word) {
                Some(known) if !providers.contains(&known.provider) => providers.push(known.provider),
                Some(_) => reader.problem(key, format_args!("{word} is named twice"), "name each provider once"),
                None => reader.problem(
                    key,
                    format_args!("{word:?} is not a known provider"),
                    "choose from openai, gemini, anthropic, separated by commas, the preferred one first",
                ),
            }
        }
        providers
    }

    pub(crate) fn from_variables(reader: &mut Reader) -> Self {
        let providers = Self::read_providers(reader, "LLM_PROVIDERS");
        let mut base_urls = BTreeMap::new();
        let mut models = BTreeMap::new();
        for known in &KNOWN {
            if let Some(url) = reader.checked(known.base_url_variable, crate::service::base_url) {
                base_urls.insert(known.provider, url);
            }
            if let Some(model) = reader.optional(known.model_variable) {
                models.insert(known.provider, model);
            }
        }
        let timeout = Duration::from_secs(reader.number_or("LLM_TIMEOUT_SECONDS", TIMEOUT_SECONDS, 1..=60));
        Self { providers, timeout, base_urls, models }
    }

    pub(crate) fn to_variables(&self) -> BTreeMap<&'static str, String> {
        let mut variables = BTreeMap::new();
        if !self.providers.is_empty() {
            let words: Vec<_> = self.providers.iter().map(|provider| provider.word()).collect();
            variables.insert("LLM_PROVIDERS", words.join(","));
            variables.insert("LLM_TIMEOUT_SECONDS", self.timeout.as_secs().to_string());
        }
        for known in &KNOWN {
            variables.extend(self.base_urls.get(&known.provider).cloned().map(|url| (known.base_url_variable, url)));
            variables.extend(self.models.get(&known.provider).cloned().map(|model| (known.model_variable, model)));
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_models_have_prices() {
        for known in &KNOWN {
            let price = price(known.model).unwrap();
            assert!(0.0 < price.input && price.input < price.output, "{price:?}");
        }
    }

    #[test]
    fn providers_are_a_list_in_the_order_of_preference() {
        let read = |text: &str| {
            let text = text.to_owned();
            let mut reader = Reader::of_variables(&VARIABLES, &|name| (name == "LLM_PROVIDERS").then(|| text.clone()));
            let llm = Llm::from_variables(&mut reader);
            reader.finish().map(|()| llm.providers)
        };
        assert_eq!(read("gemini, openai"), Ok(vec![Provider::Gemini, Provider::OpenAi]));
        assert_eq!(read(""), Ok(Vec::new()));
        assert!(read("gemini,gemini").unwrap_err().to_string().contains("named twice"));
        assert!(read("llama").unwrap_err().to_string().contains("choose from openai, gemini, anthropic"));
    }
}
