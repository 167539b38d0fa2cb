// A task is a coroutine on the event loop: co_await it, or give it to spawn() and own the result.
//
//   Task<Result<int>> answer(std::string question);
//   Result<int> n = co_await answer("six times seven");
//
// Coroutines take their parameters by value, are never capturing lambdas, and make no blocking call.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace palette::async {

template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace palette::async
