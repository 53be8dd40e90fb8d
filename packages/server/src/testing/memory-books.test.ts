import { expect, test } from 'vitest'
import { describeBooks } from './books-contract.js'
import { createFakeSystem } from './fake-system.js'
import { createMemoryBooks } from './memory-books.js'

describeBooks('memory books', () => Promise.resolve(createMemoryBooks(createFakeSystem())))

test('a test can fill the disk and free it again', async () => {
  const books = createMemoryBooks(createFakeSystem())
  books.fail(new Error('disk full'))
  await expect(books.durable()).rejects.toThrow('disk full')
  books.fail(null)
  await expect(books.durable()).resolves.toBeUndefined()
})
