#define BOOST_TEST_MODULE objstore
#include <boost/test/unit_test.hpp>
