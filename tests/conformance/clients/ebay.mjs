// The npm package `ebay-api`, unmodified, against the simulated eBay: its REST calls, its signatures and its Trading
// calls. Only the host is replaced, on the way out. Usage: node ebay.mjs http://127.0.0.1:PORT
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import eBayApi from 'ebay-api'

const base = process.argv[2]
const called = []
const SCOPE = 'https://api.ebay.com/oauth/api_scope'
const TOKEN = 'kervan-simulated-verification-token-0001'
const SIGNING = {
  jwe: 'eyJhbGciOiJBMjU2R0NNS1cifQ.c2ltdWxhdGVk.c2lnbmluZw.a2V5.MQ',
  privateKey: 'MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB',
}

const control = async (path, body, method = 'POST') => {
  const answer = await fetch(`${base}/_control/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
  return answer.json()
}

const client = (scope) => {
  const eBay = new eBayApi({
    appId: 'KervanSim-Orders-SBX-100000001-20000002',
    certId: 'SBX-300000000003-4444-4555-8666-7777',
    devId: '50000005-6666-4777-8888-999999999999',
    sandbox: false,
    siteId: 0,
    marketplaceId: 'EBAY_US',
    acceptLanguage: 'en-US',
    contentLanguage: 'en-US',
    autoRefreshToken: true,
    signature: { ...SIGNING, cipher: 'sha256' },
    scope,
  })
  eBay.req.instance.interceptors.request.use((config) => {
    const url = new URL(config.url)
    assert.equal(url.host, 'api.ebay.com')
    config.url = base + url.pathname + url.search
    // What the signature covers is the host that was meant.
    config.headers.set('Host', url.host)
    return config
  })
  return eBay
}

const run = async (name, call) => {
  called.push(name)
  return call()
}

const seller = client([`${SCOPE}/sell.fulfillment`, `${SCOPE}/sell.inventory`, `${SCOPE}/sell.finances`])
seller.OAuth2.setCredentials({ refresh_token: 'v^1.1#i^1#p^3#r^1#SIMULATEDREFRESHTOKEN', access_token: 'ended' })
const application = client([SCOPE])

const price = { value: '19.99', currency: 'USD' }
const lamp = await control('listings', { sku: 'CLIENT-LAMP', price, quantity: 9 })
const desk = await control('listings', { sku: 'CLIENT-DESK', price, quantity: 9, trading: true })
const lines = [{ sku: 'CLIENT-LAMP', quantity: 2 }, { sku: 'CLIENT-DESK', quantity: 1 }]
const { order_id: first } = await control('orders', { lines })
const { order_id: second } = await control('orders', { lines: [lines[1]] })
const { now } = await control('clock', { advance_ms: 10_000 })

// The token that the client begins with is refused, so it renews it by itself.
const order = await run('getOrder', () => seller.sell.fulfillment.getOrder(first))
assert.equal(order.pricingSummary.total.value, '59.97')
const lineItem = order.lineItems.find((line) => line.sku === 'CLIENT-LAMP')
const page = await run('getOrders', () => seller.sell.fulfillment.getOrders({ limit: 50, orderIds: `${first},${second}` }))
assert.equal(page.total, 2)
await run('createShippingFulfillment', () => seller.sell.fulfillment.createShippingFulfillment(first, {
  lineItems: [{ lineItemId: lineItem.lineItemId, quantity: 2 }],
  shippingCarrierCode: 'UPS',
  trackingNumber: '1Z999AA10123456784',
}))
const parcels = await run('getShippingFulfillments', () => seller.sell.fulfillment.getShippingFulfillments(first))
assert.equal(parcels.fulfillments[0].shipmentTrackingNumber, '1Z999AA10123456784')

// The client signs as eBay documents; a signature is asked of every refund here.
await control('settings', { refunds_need_signature: true }, 'PATCH')
const refund = { reasonForRefund: 'OTHER_ADJUSTMENT', orderLevelRefundAmount: { value: '1.00', currency: 'USD' } }
await assert.rejects(() => seller.sell.fulfillment.issueRefund(first, refund))
const refunded = await run('issueRefund', () => seller.sell.fulfillment.sign.issueRefund(first, refund))
assert.equal(refunded.refundStatus, 'PENDING')
await control('settings', { refunds_need_signature: false }, 'PATCH')

const offers = await run('getOffers', () => seller.sell.inventory.getOffers({ sku: 'CLIENT-LAMP' }))
assert.equal(offers.offers[0].offerId, lamp.offer_id)
const bulk = await run('bulkUpdatePriceQuantity', () => seller.sell.inventory.bulkUpdatePriceQuantity({
  requests: [{
    sku: 'CLIENT-LAMP',
    shipToLocationAvailability: { quantity: 4 },
    offers: [{ offerId: lamp.offer_id, availableQuantity: 4, price }],
  }],
}))
assert.ok(bulk.responses.every((one) => one.statusCode === 200))

// Subscriptions of the application, to an endpoint that proves itself.
let endpoint
const door = createServer((request, response) => {
  const code = new URL(request.url, endpoint).searchParams.get('challenge_code')
  const challengeResponse = createHash('sha256').update(code ?? '').update(TOKEN).update(endpoint).digest('hex')
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ challengeResponse }))
})
await new Promise((listening) => door.listen(0, '127.0.0.1', listening))
endpoint = `http://127.0.0.1:${door.address().port}/ebay`
const notification = application.commerce.notification
await run('updateConfig', () => notification.updateConfig({ alertEmail: 'ops@example.com' }))
assert.equal((await run('getConfig', () => notification.getConfig())).alertEmail, 'ops@example.com')
const topics = await run('getTopics', () => notification.getTopics({ limit: 100 }))
const topic = topics.topics.find((one) => one.topicId === 'MARKETPLACE_ACCOUNT_DELETION')
await run('createDestination', () => notification.createDestination({
  name: 'client', status: 'ENABLED', deliveryConfig: { endpoint, verificationToken: TOKEN },
}))
const destinations = await run('getDestinations', () => notification.getDestinations({ limit: 10 }))
const { destinationId } = destinations.destinations.find((one) => one.deliveryConfig.endpoint === endpoint)
await run('createSubscription', () => notification.createSubscription({
  topicId: topic.topicId,
  status: 'DISABLED',
  payload: { format: 'JSON', schemaVersion: '1.0', deliveryProtocol: 'HTTPS' },
  destinationId,
}))
const subscriptions = await run('getSubscriptions', () => notification.getSubscriptions({ limit: 10 }))
const [{ subscriptionId }] = subscriptions.subscriptions
await run('enableSubscription', () => notification.enableSubscription(subscriptionId))
door.close()
const limits = await run('getRateLimits', () => application.developer.analytics.getRateLimits())
assert.ok(limits.rateLimits.some((one) => one.apiName === 'fulfillment'))

// The older API, with the same token.
const time = await run('GeteBayOfficialTime', () => seller.trading.GeteBayOfficialTime())
assert.equal(time.Ack, 'Success')
const found = await run('GetOrders', () => seller.trading.GetOrders({
  OrderIDArray: { OrderID: second }, OrderRole: 'Seller',
}))
const transaction = [found.OrderArray.Order].flat()[0].TransactionArray.Transaction
const { OrderLineItemID } = [transaction].flat()[0]
await run('CompleteSale', () => seller.trading.CompleteSale({
  OrderLineItemID,
  Shipped: true,
  Shipment: {
    ShippedTime: now,
    ShipmentTrackingDetails: { ShipmentTrackingNumber: 'PARCEL0001', ShippingCarrierUsed: 'UPS' },
  },
}))
const revised = await run('ReviseInventoryStatus', () => seller.trading.ReviseInventoryStatus({
  InventoryStatus: { ItemID: desk.listing_id, SKU: 'CLIENT-DESK', Quantity: 3 },
}))
assert.equal(revised.Ack, 'Success')
await assert.rejects(() => seller.trading.ReviseInventoryStatus({
  InventoryStatus: { ItemID: lamp.listing_id, SKU: 'CLIENT-LAMP', Quantity: 3 },
}))
const listings = await control('listings', undefined, 'GET')
assert.equal(listings.find((one) => one.sku === 'CLIENT-DESK').quantity, 3)
const shipped = await control(`orders/${second}`, undefined, 'GET')
assert.equal(shipped.fulfillments[0].tracking_number, 'PARCEL0001')

console.log(`ebay-api: ${called.length} calls: ${called.join(', ')}`)
