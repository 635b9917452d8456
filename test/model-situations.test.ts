import { exploreSchedules } from './model/schedules.js';

exploreSchedules('situation');
