# The headers that nearly every layer from async on includes, compiled once: Asio's coroutines and Boost.JSON cost about two
# seconds a file otherwise.
add_library(palette_pch OBJECT ${CMAKE_CURRENT_LIST_DIR}/precompiled.cc)
target_link_libraries(palette_pch PUBLIC Boost::headers Boost::json Threads::Threads)
target_precompile_headers(palette_pch PRIVATE
  <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/steady_timer.hpp> <boost/asio/this_coro.hpp>
  <boost/asio/use_awaitable.hpp> <boost/asio/as_tuple.hpp> <boost/asio/thread_pool.hpp> <boost/asio/post.hpp>
  <boost/json/value.hpp> <boost/json/array.hpp> <boost/json/object.hpp> <boost/json/string.hpp>
  <expected> <functional> <map> <memory> <optional> <string> <string_view> <vector>)
