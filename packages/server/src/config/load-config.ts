// YAML and environment to a release. Every problem of the file is collected and told at once; a release is
// made only when there is none.

import type { PriceCatalogue } from '../core/money/price-catalogue.js'
import { PAID_BY_THE_HOUR, type Price } from '../core/money/price.js'
import { parsed, type Parsed } from '../core/parsed.js'
import {
  type Contract,
  type ModelEntry,
  NO_CEILINGS,
  type Release,
  type Tenant,
} from '../core/release/release.js'
import { buildContract, type Built, DEFAULT_CONTRACT, type Surroundings } from './build-contract.js'
import { defaultModelOf } from './built-in.js'
import { type ConfigText, parseYaml } from './parse-yaml.js'
import type { Problems } from './problems.js'
import { readAlerts } from './read-alerts.js'
import { readDependencies } from './read-dependencies.js'
import { readCapacity } from './read-capacity.js'
import { ceilingLimits } from './read-limits.js'
import { isTier, readModels } from './read-models.js'
import { type DeviceLook, impliedProviders, readProviders } from './read-providers.js'
import { readTenants } from './read-tenants.js'
import { readServer } from './read-server.js'
import { asMap, reportUnknownKeys } from './readers.js'
import { releaseId } from './release-id.js'
import { resolveModels } from './resolve-models.js'
import { emptyMap, inherit, type MapTree, type Tree } from './tree.js'
import { lowerCaseForm, UPPER_CASE_KEYS } from './upper-case.js'
import { findWarnings } from './warnings.js'

export interface ConfigInput extends ConfigText {
  readonly prices: PriceCatalogue
  readonly sha256: (text: string) => string
  /** Why a model on this machine could not run, and at which key of its provider. Default: nobody looks. */
  readonly deviceProblem?: DeviceLook
}

const KEYS = [
  'providers',
  'models',
  'tasks',
  'tenants',
  'defaults',
  'limits',
  'server',
  'capacity',
  'alerts',
  'dependencies',
] as const
type Key = (typeof KEYS)[number]

/** Problems carry `file:line:column` and never a secret. */
export function parseConfig(input: ConfigInput): Parsed<Release> {
  const { tree, problems } = parseYaml(input)
  if (problems.all().length > 0 && tree.entries.size === 0)
    return { kind: 'invalid', problems: problems.all() }
  reportUnknownKeys(tree, [...KEYS, ...UPPER_CASE_KEYS], problems)
  const content = readContent(lowerCaseForm(tree, problems), input, problems)
  if (problems.all().length > 0) return { kind: 'invalid', problems: problems.all() }
  const id = releaseId(content, input.sha256)
  return parsed({ id, source: input.file, ...content, warnings: findWarnings(content) })
}

function readContent(
  root: MapTree,
  input: ConfigInput,
  problems: Problems,
): Omit<Release, 'id' | 'source' | 'warnings'> {
  const at = (key: Key): Tree => root.entries.get(key)?.value ?? emptyMap(root.offset)
  const { prices } = input
  const providers = root.entries.has('providers')
    ? readProviders(at('providers'), problems, input.deviceProblem)
    : impliedProviders(input.env, problems)
  const configured = readModels(at('models'), {
    providers,
    written: keysOf(at('providers')),
    prices,
    problems,
  })
  const tenants = readTenants(at('tenants'), problems, input.sha256)
  const defaultModel = defaultModelOf(configured, providers)
  const around = { problems, defaultModel, attributes: attributeNames(tenants) }
  const built = readTasks(at('tasks'), at('defaults'), around)
  const references = built.flatMap((one) => one.references)
  const models = resolveModels(references, { models: configured, providers, prices, problems })
  const contracts = new Map(built.map(({ contract }) => [contract.name, contract]))
  checkNames(root, { models, contracts }, problems)
  return {
    providers,
    models,
    contracts,
    tenants,
    product: root.entries.has('limits') ? ceilingLimits.read(at('limits'), problems) : NO_CEILINGS,
    dearestPrice: dearestOf(models),
    server: readServer(at('server'), problems),
    alerts: readAlerts(at('alerts'), problems),
    dependencies: readDependencies(at('dependencies'), problems),
    capacity: readCapacity(at('capacity'), problems),
  }
}

function keysOf(tree: Tree): ReadonlySet<string> {
  return new Set(tree.kind === 'map' ? tree.entries.keys() : [])
}

function attributeNames(tenants: ReadonlyMap<string, Tenant>): ReadonlySet<string> {
  return new Set([...tenants.values()].flatMap(({ attributes }) => Object.keys(attributes)))
}

/** Every task inherits `defaults`; the contract `default` is always there. */
function readTasks(tasks: Tree, defaults: Tree, around: Surroundings): readonly Built[] {
  const base = asMap(defaults, around.problems) ?? emptyMap(defaults.offset)
  const map = asMap(tasks, around.problems) ?? emptyMap(tasks.offset)
  const written = [...map.entries].map(([name, { value }]) => {
    const own = asMap(value, around.problems) ?? emptyMap(value.offset)
    return buildContract(name, inherit(base, own), around)
  })
  return map.entries.has(DEFAULT_CONTRACT)
    ? written
    : [...written, buildContract(DEFAULT_CONTRACT, base, around)]
}

// Task names travel in headers, URLs and metric labels.
const TASK_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** `model` in a request may be a task, a model or a tier: no name may be two of them. */
function checkNames(
  root: MapTree,
  {
    models,
    contracts,
  }: {
    readonly models: ReadonlyMap<string, ModelEntry>
    readonly contracts: ReadonlyMap<string, Contract>
  },
  problems: Problems,
): void {
  const tasks = root.entries.get('tasks')?.value
  const written = tasks?.kind === 'map' ? tasks.entries : new Map<string, { readonly keyOffset: number }>()
  for (const name of contracts.keys()) {
    const offset = written.get(name)?.keyOffset ?? 0
    if (isTier(name)) problems.add(offset, `a task cannot be named \`${name}\`: that is a tier`)
    if (models.has(name)) problems.add(offset, `\`${name}\` names a task and a model; rename one of them`)
    if (!TASK_NAME.test(name)) {
      problems.add(
        offset,
        'a task name has letters, digits, `.`, `_` and `-`, at most 100, and starts with one of the first',
      )
    }
  }
}

/** For holds on models without a price. Where only hours are paid, nothing is known of prices. */
function dearestOf(models: ReadonlyMap<string, ModelEntry>): Price | null {
  const known = [...models.values()].flatMap(({ deployments }) =>
    deployments.flatMap(({ price }) => price ?? []),
  )
  const prices = known.filter((price) => price !== PAID_BY_THE_HOUR)
  const [dearest] = prices.toSorted(
    (left, right) => right.rates.output - left.rates.output || right.rates.input - left.rates.input,
  )
  return dearest ?? null
}
