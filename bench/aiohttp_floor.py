#!/usr/bin/env python3
"""The Python floor that plot-palette is measured against: two-step records with a bare aiohttp client, and nothing else.

    aiohttp_floor.py PORT CONCURRENCY RECORDS       OpenAI chat completions of plot-palette-sim at 127.0.0.1:PORT

The same calls as bare_beast.cc. The first call that fails ends it. Run by run_calls.py.
"""
import asyncio
import sys

import aiohttp


def question_prompt(record):
    """As long as the first prompt of run_calls.py's job."""
    return (f"Write question {record} about Switzerland, whose capital is Bern, for somebody who knows German, French, Italian."
            + 4 * " Be precise, be brief, and do not repeat the text.")


async def call(session, url, prompt):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": prompt}], "max_tokens": 200}
    async with session.post(url, json=body, headers={"Authorization": "Bearer sim-key"}) as response:
        response.raise_for_status()
        return (await response.json())["choices"][0]["message"]["content"]


async def work(session, url, numbers):
    for record in numbers:
        question = await call(session, url, question_prompt(record))
        await call(session, url, f"Answer in two sentences: {question}")


async def main(port, concurrency, records):
    numbers = iter(range(records))
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        await asyncio.gather(*(work(session, url, numbers) for _ in range(concurrency)))


if __name__ == "__main__":
    if len(sys.argv) != 4 or not all(word.isdigit() and int(word) > 0 for word in sys.argv[1:]):
        sys.exit("usage: aiohttp_floor.py PORT CONCURRENCY RECORDS, each a number of at least 1")
    asyncio.run(main(*map(int, sys.argv[1:])))
