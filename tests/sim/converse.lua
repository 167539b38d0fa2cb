-- How fast the stand-in serves small Converse calls:
--   plot-palette-sim --port 8080 &  wrk -t1 -c64 -d10s -s tests/sim/converse.lua http://127.0.0.1:8080
wrk.method = "POST"
wrk.path = "/model/us.amazon.nova-lite-v1%3A0/converse"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{"system":[{"text":"You write short answers."}],
"messages":[{"role":"user","content":[{"text":"Write one question about the river Danube."}]}],
"inferenceConfig":{"maxTokens":200},"requestMetadata":{"job":"bench","record":"1","step":"question"}}]]
