// Prints `N passed, N failed` from vitest's JSON report. Usage: count-results.mjs <report.json> <exit
// status>. What fails outside a test still counts: a file that cannot be loaded, the build, the linter, a
// time limit.

import { existsSync, readFileSync } from 'node:fs'

const [file = '', status = '1'] = process.argv.slice(2)
const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null

function count() {
  if (report === null) return { passed: 0, failed: 1, note: 'the tests did not run: see the messages above' }
  const suites = report.testResults.filter((suite) => suite.status === 'failed')
  const unloadable = suites.filter((suite) => suite.assertionResults.length === 0).length
  const failed = report.numFailedTests + unloadable
  if (failed === 0 && status !== '0') {
    return {
      passed: report.numPassedTests,
      failed: 1,
      note: `no test failed, but the run ended with status ${status}`,
    }
  }
  return { passed: report.numPassedTests, failed, note: null }
}

const { passed, failed, note } = count()
if (note !== null) process.stdout.write(`${note}\n`)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 ? 0 : 1)
