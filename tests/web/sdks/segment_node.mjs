// Six calls by Segment's own client for Node.js; its folder is the working directory.
import { createRequire } from 'node:module'

const { Analytics } = createRequire(process.cwd() + '/')('@segment/analytics-node')
const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, flushAt: 4 })
analytics.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})
analytics.identify({ userId: 'u1', traits: { email: 'dilnoza@example.uz' } })
analytics.track({ userId: 'u1', event: 'Card Authorised', properties: { amount: 12.5, currency: 'UZS', cut: '\ud83d' } })
analytics.page({ anonymousId: 'a1', name: 'Mortgage', properties: { path: '/mortgage' } })
analytics.screen({ userId: 'u1', name: 'Home' })
analytics.group({ userId: 'u1', groupId: 'family', traits: { size: 4 } })
analytics.alias({ userId: 'u1', previousId: 'a1' })
await analytics.closeAndFlush()
