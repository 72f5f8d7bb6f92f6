#define BOOST_TEST_MODULE libray
#include <boost/test/unit_test.hpp>
