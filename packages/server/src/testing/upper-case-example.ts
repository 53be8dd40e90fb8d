// The upper-case form of a configuration as it is promised to work, exactly as it stands.

export const UPPER_CASE = `TASK_BUDGETS:
  support_reply:
    max_model_calls: 5
    max_input_tokens: 6000
    max_output_tokens: 700
    p95_latency_slo_ms: 6000
ROUTING:
  default_model: "gpt-4o-mini"
  escalate_if:
    - condition: "confidence < 0.72"
      model: "claude-3-5-sonnet"
    - condition: "account_tier == 'enterprise' and sentiment == 'high_risk'"
      model: "gpt-4o"
CACHING:
  semantic_cache:
    enabled: true
    similarity_threshold: 0.92
    ttl_seconds: 86400
`
